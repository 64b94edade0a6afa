"""Recordings in pages: as sound that a browser plays, and as a picture of their features."""

from __future__ import annotations

import io
from base64 import b64encode
from pathlib import Path

import numpy as np

from gatework.data.audio import Recording
from gatework.errors import DataError

_MOST_FRAMES, _MOST_BANDS = 600, 40
_LOUD = 255


def flac_of(file: Path) -> bytes:
    """A recording as FLAC of one channel; nothing where its file is not there any more."""
    import soundfile

    try:
        recording = Recording.open(file)
        samples = np.concatenate(list(recording.blocks()))
    except DataError:
        return b""
    content = io.BytesIO()
    soundfile.write(content, np.clip(samples, -1, 1), recording.facts.rate, format="FLAC", subtype="PCM_16")
    return content.getvalue()


def address_of(sound: bytes) -> str:
    """FLAC as an address that a page can play; empty where there is none."""
    return f"data:audio/flac;base64,{b64encode(sound).decode()}" if sound else ""


def picture_of(frames: np.ndarray) -> np.ndarray:
    """Log energies as shades of 0 to 255, shape (frames, bands), with no more of either than a page shows."""
    frames = frames[:: -(-len(frames) // _MOST_FRAMES), :: -(-frames.shape[1] // _MOST_BANDS)]
    low, high = np.quantile(frames, [0.05, 0.99])
    return np.clip(_LOUD * (frames - low) / max(float(high - low), 1e-6), 0, _LOUD).astype(np.uint8)
