"""The live page of a detector: a point is dragged; what is expected, what stands out and why, and the gates follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gatework.tasks._live import Live, LivePart
from gatework.tasks.detect.detector import Detector
from gatework.tasks.detect.judges import judgings
from gatework.tasks.detect.kinds import KINDS
from gatework.tasks.detect.live.stretches import stretches
from gatework.tasks.detect.online_scorer import FARTHEST
from gatework.tasks.detect.value_rules import value_rules

if TYPE_CHECKING:
    import polars as pl

    from gatework.data.events import EventRows

_SCRIPTS = ("rules.js", "kinds.js", "detector.js", "chart.js", "live.js")
_DAY = 86_400


def live(detector: Detector, series: Sequence[EventRows], judged: pl.DataFrame) -> Live:
    """What the page holds of a detector.

    Args:
        detector: The trained detector.
        series: The series that the page offers stretches of.
        judged: What the detector says of them, as its `frame()` gives it.
    """
    task, network, settings = detector.task, detector.network, detector.task.settings
    is_labelled = task.scorer == "label"
    about: dict[str, Any] = {
        "scorer": task.scorer,
        "columns": list(task.variables),
        "judges": [] if is_labelled else [judging.about for judging in judgings(settings)],
        "isRelated": not is_labelled and task.is_related,
        "valueRules": [] if is_labelled else [rule.name for rule in value_rules(settings)],
        "kinds": list(KINDS),
        "farthest": FARTHEST,
        "gap": settings.gap,
        "context": settings.context,
        "hasDays": _DAY in task.periods,
        "factor": float(network.budget) / settings.sensitivity,
        "windows": stretches(detector, series, judged),
    }
    return Live(LivePart.of(__package__, "Detecting with", _SCRIPTS), network.stacks, about)
