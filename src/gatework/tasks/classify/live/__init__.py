"""The live page of a classifier of sounds: a recording is played, and the network is seen as it hears it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.errors import UsageError
from gatework.tasks._hearable import address_of, flac_of
from gatework.tasks._live import Live, LivePart
from gatework.tasks.classify.joint import joining_of

if TYPE_CHECKING:
    from gatework.data.dataset import Split
    from gatework.data.sounds import SoundEncoder

MOST = 12
"""So many recordings a page holds at most."""
_DIGITS = 5


def live_sounds(
    model: Any, encoder: SoundEncoder, classes: tuple[str, ...], split: Split | None, answered_by: str
) -> Live:
    """What the page holds of a classifier.

    Args:
        model: The network.
        encoder: How recordings become its inputs.
        classes: The names of the classes.
        split: The recordings that are offered.
        answered_by: What answers beside the network, in words; empty where it answers alone.

    Raises:
        UsageError: There are none.
    """
    if split is None or not len(split):
        raise UsageError(
            "a page of sounds plays recordings, and a run keeps none; name one or a list of them: "
            "gatework inspect RUN new.wav"
        )
    joining = joining_of(model)
    about = {
        "classes": classes,
        "pooling": model.pooling.kind,
        "temperature": 1.0 if joining is None else float(joining.temperature),
        "answeredBy": answered_by,
        "stack": encoder.stack,
        "bands": encoder.spec.bands,
        "recordings": [_recording(split.inputs, encoder, k) for k in range(min(len(split), MOST))],
    }
    part = LivePart.of(__package__, "Listening with", ("listener.js", "live.js"))
    return Live(part, {"recurrent": model.recurrent}, about)


def _recording(recordings: Any, encoder: SoundEncoder, place: int) -> dict[str, Any]:
    steps = encoder.steps(recordings.features[place])
    return {
        "title": recordings.files[place].name,
        "seconds": round(float(recordings.seconds[place]), 3),
        "sound": address_of(flac_of(recordings.files[place])),
        "frames": len(recordings.features[place]),
        "x": [float(f"{value:.{_DIGITS}g}") for value in np.asarray(steps, np.float64).ravel().tolist()],
    }
