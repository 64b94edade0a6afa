"""Raw sound as it comes from a microphone or a pipe: 16 bits a sample, little-endian, one channel."""

from __future__ import annotations

import numpy as np

_FULL_SCALE = 32768.0


class SampleReader:
    """Bytes to samples, however they are cut."""

    def __init__(self) -> None:
        self._rest = b""

    def accept(self, piece: bytes) -> np.ndarray:
        """The samples that are whole with these bytes, shape (samples,), mono, float32, full scale at 1."""
        content = self._rest + piece
        whole = len(content) // 2 * 2
        self._rest = content[whole:]
        return np.frombuffer(content[:whole], "<i2").astype(np.float32) / np.float32(_FULL_SCALE)
