"""Recordings in pages: as sound that a browser plays, and as a picture of their features."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data._content import printable
from gatework.data.audio import Recording
from gatework.errors import DataError, UsageError
from gatework.tasks._recorded import Recorded

if TYPE_CHECKING:
    from gatework.data.dataset import Split
    from gatework.data.recordings import Recordings

# Of a page in which a network runs: recordings, seconds of each, digits of a number.
_MOST_HEARD, _LONGEST = 12, 60.0
_DIGITS = 5
_MOST_FRAMES, _MOST_BANDS = 600, 40
_LOUD = 255


def flac_of(recordings: Recordings, place: int) -> bytes:
    """A recording as FLAC of one channel; nothing where its file is not there any more.

    Args:
        recordings: All.
        place: Which one.
    """
    import soundfile

    try:
        recording = Recording.open(recordings.files[place], recordings.excerpt(place))
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


def hearable(split: Split | None) -> Recorded:
    """The first recordings of those that were given, as many as a page in which a network runs holds.

    Raises:
        UsageError: There are none, or one is too long for a page.
    """
    if not isinstance(split, Recorded) or not len(split):
        raise UsageError(
            "a page of sounds plays recordings, and a run keeps none; name one, a list of them or a data set: "
            "gatework inspect RUN new.wav, or gatework inspect RUN spoken-digits"
        )
    part = split.take(np.arange(min(len(split), _MOST_HEARD)))
    for place, seconds in enumerate(part.inputs.seconds.tolist()):
        if seconds > _LONGEST:
            raise UsageError(
                f"{printable(part.inputs.name(place))} lasts {seconds:,.0f} s, and a page holds at most "
                f"{_LONGEST:.0f} s of a recording; cut out what is to be looked at"
            )
    return part


def playable(recordings: Recordings, place: int, steps: np.ndarray) -> dict[str, Any]:
    """A recording as the page of a network that listens holds it.

    Args:
        recordings: All.
        place: Which one.
        steps: What the network's layers read of it, shape (steps, features).
    """
    return {
        "title": recordings.name(place),
        "seconds": round(float(recordings.seconds[place]), 3),
        "sound": address_of(flac_of(recordings, place)),
        "frames": len(recordings.features[place]),
        "x": [float(f"{value:.{_DIGITS}g}") for value in np.asarray(steps, np.float64).ravel().tolist()],
    }
