"""A detector and the simple ones beside it, on rows whose labels are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gatework.errors import DataError
from gatework.tasks.detect.baselines import isolation_forest, matrix_profile, robust_z, seasonal_difference
from gatework.tasks.detect.detector import LIMIT, Detector
from gatework.tasks.detect.metrics import labelled_spans, pooled_metrics
from gatework.tasks.detect.spans import spans
from gatework.tasks.detect.thresholds import QuantileThreshold

if TYPE_CHECKING:
    from gatework.data.events import EventRows, EventTable

# The share of a series that a simple detector takes as usual rows to begin with, as the NAB score does.
_FIRST = 0.15
_DAY = 86_400_000_000
# The fewest rows of a stretch that a matrix profile compares, where there is no day to go by.
_LEAST_STRETCH = 16


def evaluate_detector(detector: Detector, readings: EventTable) -> dict[str, dict[str, float]]:
    """The metrics of a detector and of the simple ones, all series together.

    Every detector gets the same threshold rule and the same gap between spans.

    Args:
        detector: The trained detector.
        readings: Rows with labels.

    Returns:
        The metrics of `pooled_metrics()` by the name of the detector; the trained one first.

    Raises:
        DataError: The rows have no labels, or none of them is labelled as anomalous.
    """
    series = readings.series
    if series[0].labels is None:
        raise DataError(f"{readings.source} has no labels to measure by: name their column with --label")
    if not any(rows.labels is not None and rows.labels.any() for rows in series):
        raise DataError(f"{readings.source}: no row is labelled as anomalous, so there is nothing to measure by")
    scores = {
        f"{detector.task.settings.scorer if detector.task.scorer != 'label' else 'labelled'} network": [
            detector.answers(rows).scores for rows in series
        ]
    }
    for name, method in _METHODS.items():
        scores[name] = [_scored(method(rows)) for rows in series]
    gap = detector.task.settings.gap
    found = {}
    for name, each in scores.items():
        triples = []
        for rows, score in zip(series, each, strict=True):
            assert rows.labels is not None
            flagged = spans(np.nan_to_num(score, nan=0.0) > LIMIT, score, gap)
            triples.append((score, flagged, labelled_spans(rows.labels)))
        found[name] = pooled_metrics(triples)
    return found


def _scored(errors: np.ndarray) -> np.ndarray:
    first = max(int(_FIRST * len(errors)), 1)
    rule = QuantileThreshold(floor=0.0)
    rule.fit(errors[:first])
    limits = np.maximum(rule.run(errors), 1e-9)
    return errors / (errors + limits)


def _robust(rows: EventRows) -> np.ndarray:
    return robust_z(rows.values)


def _season(rows: EventRows) -> np.ndarray:
    return seasonal_difference(rows.values, _day(rows))


def _profile(rows: EventRows) -> np.ndarray:
    return matrix_profile(rows.values, max(min(_day(rows), len(rows) // 8), _LEAST_STRETCH))


def _day(rows: EventRows) -> int:
    """Rows of one day; 1 where the rows do not show two."""
    steps = np.diff(rows.stamps)
    step = float(np.median(steps)) if len(steps) else 0.0
    season = round(_DAY / step) if step > 0 else 1
    return season if 1 < season < len(rows) // 2 else 1


def _forest(rows: EventRows) -> np.ndarray:
    return isolation_forest(rows.values, fit_rows=max(int(_FIRST * len(rows)), 2))


_METHODS = {
    "robust z-score": _robust,
    "seasonal difference": _season,
    "isolation forest": _forest,
    "matrix profile": _profile,
}
