"""Anomaly detection in three steps kept apart: a scorer gives errors, a threshold flags rows, spans join them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.tasks.detect.detector import Detector
    from gatework.tasks.detect.exporting import exportable
    from gatework.tasks.detect.metrics import detection_metrics, pooled_metrics
    from gatework.tasks.detect.model import Autoencoder, LabelNetwork, NextRowNetwork
    from gatework.tasks.detect.spans import Span
    from gatework.tasks.detect.streaming import DetectStream
    from gatework.tasks.detect.thresholds import DynamicThreshold, PeaksThreshold, QuantileThreshold, threshold

__all__ = [
    "Autoencoder",
    "DetectStream",
    "Detector",
    "DynamicThreshold",
    "LabelNetwork",
    "NextRowNetwork",
    "PeaksThreshold",
    "QuantileThreshold",
    "Span",
    "detection_metrics",
    "exportable",
    "pooled_metrics",
    "threshold",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "detector": ("Detector",),
        "exporting": ("exportable",),
        "metrics": ("detection_metrics", "pooled_metrics"),
        "model": ("Autoencoder", "LabelNetwork", "NextRowNetwork"),
        "spans": ("Span",),
        "streaming": ("DetectStream",),
        "thresholds": ("DynamicThreshold", "PeaksThreshold", "QuantileThreshold", "threshold"),
    },
)
