"""Anomaly detection in three steps kept apart: a scorer gives errors, a threshold flags rows, spans join them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gatework.tasks.detect.detector import Detector
    from gatework.tasks.detect.metrics import detection_metrics, pooled_metrics
    from gatework.tasks.detect.spans import Span
    from gatework.tasks.detect.streaming import DetectStream
    from gatework.tasks.detect.thresholds import DynamicThreshold, PeaksThreshold, QuantileThreshold, threshold

__all__ = [
    "DetectStream",
    "Detector",
    "DynamicThreshold",
    "PeaksThreshold",
    "QuantileThreshold",
    "Span",
    "detection_metrics",
    "pooled_metrics",
    "threshold",
]

_HOMES = {
    "detector": ("Detector",),
    "metrics": ("detection_metrics", "pooled_metrics"),
    "spans": ("Span",),
    "streaming": ("DetectStream",),
    "thresholds": ("DynamicThreshold", "PeaksThreshold", "QuantileThreshold", "threshold"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
