"""The live page of a network that transcribes: a recording is played, and its letters are seen as they are heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gatework.tasks._hearable import playable
from gatework.tasks._live import Live, LivePart

if TYPE_CHECKING:
    from gatework.data.recordings import Recordings
    from gatework.tasks.transcribe.letters import Alphabet
    from gatework.tasks.transcribe.model import SpeechModel


def live_speech(model: SpeechModel, alphabet: Alphabet, recordings: Recordings, said: Sequence[Any]) -> Live:
    """What the page holds of a network.

    Args:
        model: The network.
        alphabet: What it writes.
        recordings: Those that are offered.
        said: The words that `gatework predict` writes of each.
    """
    about = {
        "units": alphabet.units,
        "between": alphabet.between,
        "stack": model.hearing.stack,
        "bands": len(model.hearing.mean),
        "recordings": [
            playable(recordings, k, _steps(model, frames)) | {"words": _places(said[k])}
            for k, frames in enumerate(recordings.features)
        ],
    }
    part = LivePart.of(__package__, "Writing down with", ("transcriber.js", "spikes.js", "live.js"))
    return Live(part, {"recurrent": model.recurrent}, about)


def _steps(model: SpeechModel, frames: np.ndarray) -> np.ndarray:
    """What the layers read of a recording, shape (steps, features)."""
    with torch.no_grad():
        x = model.normalised(torch.from_numpy(frames)[None], torch.tensor([len(frames)]))
        steps: np.ndarray = model.stacked(x)[0].numpy()
    return steps


def _places(words: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    return [[one["word"], one["start"], one["end"], one["confidence"]] for one in words]
