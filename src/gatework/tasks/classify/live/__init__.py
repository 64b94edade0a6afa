"""The live page of a classifier of sounds: a recording is played, and the network is seen as it hears it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatework.tasks._hearable import hearable, playable
from gatework.tasks._live import Live, LivePart
from gatework.tasks.classify.joint import joining_of

if TYPE_CHECKING:
    from gatework.data.dataset import Split
    from gatework.data.sounds import SoundEncoder


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
        UsageError: There are none, or one is too long for a page.
    """
    recordings = hearable(split).inputs
    joining = joining_of(model)
    about = {
        "classes": classes,
        "pooling": model.pooling.kind,
        "temperature": 1.0 if joining is None else float(joining.temperature),
        "answeredBy": answered_by,
        "stack": encoder.stack,
        "bands": encoder.spec.bands,
        "recordings": [playable(recordings, k, encoder.steps(frames)) for k, frames in enumerate(recordings.features)],
    }
    part = LivePart.of(__package__, "Listening with", ("listener.js", "live.js"))
    return Live(part, {"recurrent": model.recurrent}, about)
