"""A detector and the simple ones beside it, on rows whose labels are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gatework.errors import DataError
from gatework.formatting import counted, number
from gatework.tasks.detect.baselines import beyond, isolation_forest, matrix_profile, robust_z, seasonal_difference
from gatework.tasks.detect.budget import factor, weeks_of
from gatework.tasks.detect.detector import LIMIT, Detector
from gatework.tasks.detect.judges import judgings, ratios
from gatework.tasks.detect.metrics import labelled_spans, pooled_metrics
from gatework.tasks.detect.options import DetectOptions, DetectPrediction
from gatework.tasks.detect.spans import PARTS, spans

if TYPE_CHECKING:
    import polars as pl

    from gatework.data.events import EventRows, EventTable
    from gatework.tasks.detect.value_rules import Extent

# The share of a series that a simple detector takes as usual rows to begin with, as the NAB score does.
_FIRST = 0.15
_DAY = 86_400_000_000
TOLERANCE = DetectPrediction().tolerance
"""Rows beside a labelled span in which an alarm counts for tolerant figures: as many as a mean looks back on."""
# How well spans are found, what it costs, and the rows: four at a time fit a terminal.
_IN_ORDER = (
    *("span_f1", "span_precision", "span_recall", "tolerant_span_f1"),
    *("missed_spans", "delay", "false_alarms", "false_alarms_per_week"),
    *("alarms", "average_precision", "row_f1", "point_adjusted_f1"),
)
# The fewest rows of a stretch that a matrix profile compares, where there is no day to go by.
_LEAST_STRETCH = 16


def evaluate_detector(
    detector: Detector, readings: EventTable, tolerance: int = TOLERANCE
) -> dict[str, dict[str, float]]:
    """The metrics of a detector and of the simple ones, all series together.

    Every simple detector's errors are judged as the network's are, by the same threshold rules and the same budget of
    alarms; the training range alone needs none: what lies outside is anomalous.

    Args:
        detector: The trained detector.
        readings: Rows with labels.
        tolerance: As for `pooled_metrics()`.

    Returns:
        The metrics of `pooled_metrics()` and the false alarms per week by the name of the detector, the trained one
        first.

    Raises:
        DataError: The rows have no labels, or none of them is labelled as anomalous.
    """
    series = readings.series
    if series[0].labels is None:
        raise DataError(f"{readings.source} has no labels to measure by: name their column with --label")
    if not any(rows.labels is not None and rows.labels.any() for rows in series):
        raise DataError(f"{readings.source}: no row is labelled as anomalous, so there is nothing to measure by")
    gap = detector.task.settings.gap
    return {name: _measured(series, each, gap, tolerance) for name, each in _every_score(detector, series).items()}


def count_alarms(detector: Detector, readings: EventTable) -> dict[str, dict[str, float]]:
    """How much a detector and the simple ones flag of rows without labels, all series together.

    Args:
        detector: The trained detector.
        readings: The rows.

    Returns:
        By the name of the detector, the trained one first: `alarms`, one a flagged span, `alarms_per_week`,
        `flagged_share` of the rows and the `highest_score`, where an alarm is a score above one half.
    """
    series = readings.series
    gap = detector.task.settings.gap
    return {name: _counted(series, each, gap) for name, each in _every_score(detector, series).items()}


def _every_score(detector: Detector, series: Sequence[EventRows]) -> dict[str, list[np.ndarray]]:
    """The scores of each series by the detector and by the simple ones, by their names."""
    task = detector.task
    first = f"{task.settings.scorer if task.scorer != 'label' else 'labelled'} network"
    scores = {first: [detector.answers(rows).scores for rows in series]}
    simple = [simple_scores(rows, task.extents.of(rows.name), task.settings) for rows in series]
    return scores | {name: [each[name] for each in simple] for name in simple[0]}


def simple_scores(rows: EventRows, extent: Extent, settings: DetectOptions) -> dict[str, np.ndarray]:
    """The scores of the simple detectors on one series, above one half where a row is flagged.

    Args:
        rows: The series.
        extent: What its training rows span.
        settings: Threshold, smoothing and budget, by which the simple detectors' errors are judged as well.
    """
    judged = {name: _scored(method(rows), rows.stamps, settings) for name, method in _METHODS.items()}
    return {"training range": beyond(rows.values, extent.limits)} | judged


def about_labels(readings: EventTable, tolerance: int = TOLERANCE) -> str:
    """What a detector is measured by, in a sentence."""
    marks = [np.zeros(0) if rows.labels is None else rows.labels for rows in readings.series]
    count, weeks = sum(len(labelled_spans(each)) for each in marks), weeks_of([rows.stamps for rows in readings.series])
    time = f", {number(weeks)} weeks of them" if weeks > 0 else ""
    return (
        f"{counted(count, 'labelled span')} in {counted(sum(map(len, marks)), 'row')}{time}; an alarm is a span of "
        f"flagged rows, and tolerant is what lets it lie up to {counted(tolerance, 'row')} beside a labelled span "
        "(--tolerance)"
    )


def alarms_by_part(judged: pl.DataFrame, time: str, ids: Sequence[str]) -> pl.DataFrame:
    """How much is flagged of each part of a training table; an alarm belongs to the part in which its score peaks.

    Args:
        judged: The rows of `Detector.frame()` with their parts.
        time: The column of the time.
        ids: The columns that tell series apart.
    """
    import polars as pl

    peaks = judged.filter(pl.col("span").is_not_null()).sort("score", descending=True, nulls_last=True)
    peaks = peaks.unique("span", keep="first")
    lines = []
    for part in PARTS:
        rows, alarms = judged.filter(pl.col("part") == part), int((peaks["part"] == part).sum())
        if rows.is_empty():
            continue
        series = rows.partition_by(list(ids), maintain_order=True) if ids else [rows]
        weeks = weeks_of([each[time].cast(pl.Datetime("us")).to_physical().to_numpy() for each in series])
        flags = rows["is_anomaly"].drop_nulls()
        lines.append(
            {
                "part": PARTS[part],
                "rows": f"{len(rows):,}",
                "alarms": f"{alarms:,}",
                "alarms_per_week": alarms / weeks if weeks > 0 else float("nan"),
                "flagged_share": flags.sum() / max(1, len(flags)),
                "highest_score": rows["score"].max(),
            }
        )
    return pl.DataFrame(lines)


def _measured(series: Sequence[EventRows], scores: Sequence[np.ndarray], gap: int, tolerance: int) -> dict[str, float]:
    triples = []
    for rows, score in zip(series, scores, strict=True):
        flagged = spans(np.nan_to_num(score, nan=0.0) > LIMIT, score, gap)
        labels = np.zeros(len(rows)) if rows.labels is None else rows.labels
        triples.append((score, flagged, labelled_spans(labels)))
    weeks = weeks_of([rows.stamps for rows in series])
    metrics = pooled_metrics(triples, tolerance)
    metrics["false_alarms_per_week"] = metrics["false_alarms"] / weeks if weeks > 0 else float("nan")
    return {name: metrics[name] for name in _IN_ORDER}


def _counted(series: Sequence[EventRows], scores: Sequence[np.ndarray], gap: int) -> dict[str, float]:
    every = np.nan_to_num(np.concatenate(scores), nan=0.0)
    alarms = sum(len(spans(np.nan_to_num(score, nan=0.0) > LIMIT, score, gap)) for score in scores)
    weeks = weeks_of([rows.stamps for rows in series])
    return {
        "alarms": float(alarms),
        "alarms_per_week": alarms / weeks if weeks > 0 else float("nan"),
        "flagged_share": float((every > LIMIT).mean()),
        "highest_score": float(every.max()),
    }


def _scored(errors: np.ndarray, stamps: np.ndarray, settings: DetectOptions) -> np.ndarray:
    """Scores of a simple detector's errors; the first rows are what its thresholds begin with."""
    first = max(int(_FIRST * len(errors)), 2)
    chosen = judgings(settings)
    smoothed = [judging.smoothing(1).run(errors[:, None]) for judging in chosen]
    begun = [each[:first] for each in smoothed]
    ratio = ratios(chosen, smoothed, begun, floor=0.0)
    limit = 1.0
    if settings.alarms_per_week:
        limit = factor([ratio[:first]], weeks_of([stamps[:first]]), settings.alarms_per_week, settings.gap)
    return np.where(np.isnan(errors), np.nan, ratio / (ratio + limit))


def _no_change(rows: EventRows) -> np.ndarray:
    return seasonal_difference(rows.values, 1)


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
    "no change": _no_change,
    "robust z-score": _robust,
    "seasonal difference": _season,
    "isolation forest": _forest,
    "matrix profile": _profile,
}
