"""The machine's microphone, by sounddevice: recorded until one says stop, or heard as it comes."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from queue import Empty, Queue
from typing import Any

import numpy as np

from gatework.errors import UsageError

_FULL_SCALE = 32767.0
_WAIT = 0.1
"""Seconds after which a wait for sound looks whether one has been stopped."""


class Microphone:
    """The machine's microphone, at its own rate, by sounddevice.

    Raises:
        UsageError: sounddevice or its PortAudio is missing, or there is no microphone.
    """

    def __init__(self) -> None:
        if find_spec("sounddevice") is None:
            raise UsageError('recording needs sounddevice: pip install "gatework[record]"')
        try:
            import sounddevice
        except OSError:
            raise UsageError("sounddevice lacks PortAudio; install it, as by apt install libportaudio2") from None
        try:
            self.rate = int(sounddevice.query_devices(kind="input")["default_samplerate"])
        except sounddevice.PortAudioError as error:
            raise UsageError(f"there is no microphone to record from ({error}); plug one in") from None
        self._open = sounddevice.InputStream

    def opened(self, callback: Callable[..., None]) -> Any:
        """A stream that calls back with blocks of samples, shape (samples, 1), float32."""
        return self._open(self.rate, channels=1, dtype="float32", callback=callback)

    def take(self, until: Callable[[], object]) -> np.ndarray:
        """Records until a call returns: mono samples, shape (samples,), float32, full scale at 1."""
        blocks: list[np.ndarray] = []
        with self.opened(lambda x, *_: blocks.append(x[:, 0].copy())):
            until()
        return np.concatenate([np.zeros(0, np.float32), *blocks])


class Listening:
    """A microphone as a file that never ends: raw 16-bit sound, little-endian, one channel.

    Attributes:
        rate: Samples per second.

    Raises:
        UsageError: As for `Microphone`.
    """

    def __init__(self) -> None:
        microphone = Microphone()
        self.rate, self._pieces = microphone.rate, Queue[bytes]()
        self._stream = microphone.opened(lambda x, *_: self._pieces.put(as_bytes(x[:, 0])))
        self._stream.start()

    def read(self, _: int = -1, /) -> bytes:
        """The sound that came next."""
        while True:
            try:
                return self._pieces.get(timeout=_WAIT)
            except Empty:
                continue


def as_bytes(samples: np.ndarray) -> bytes:
    """Samples, shape (samples,), full scale at 1, as raw 16-bit sound."""
    return (np.clip(samples, -1, 1) * _FULL_SCALE).astype("<i2").tobytes()
