"""How well flagged spans and scores agree with labelled ones.

The overlap rule, as in Hundman et al. (2018), section 4.3: a labelled span counts as found if any flagged span has a
row in common with it, however short; a flagged span is false if it has no row in common with any labelled one. Several
flagged spans on one labelled span count once. Hence precision = found / (found + false), recall = found / labelled.

A tolerance of $k$ rows lengthens each labelled span by $k$ rows at both ends before the two rules are applied: what
warns a little early, or still tells of the way back, is no false alarm then.

Point-adjusted figures count every row of a labelled span as flagged as soon as one is. A detector that flags at random
does well by them (Kim et al. 2022), so they stand only beside the figures for the rows as they were flagged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gatework.tasks._metric import Metric, register_metrics
from gatework.tasks._sample import Sample
from gatework.tasks.detect.spans import Span, flags, spans

if TYPE_CHECKING:
    import polars as pl


register_metrics(
    Metric("span_f1", "span F1", lower_is_better=False, is_share=True),
    Metric("span_precision", "span precision", lower_is_better=False, is_share=True),
    Metric("span_recall", "span recall", lower_is_better=False, is_share=True),
    Metric("tolerant_span_f1", "span F1, tolerant", lower_is_better=False, is_share=True),
    Metric("missed_spans", "missed spans", lower_is_better=True),
    Metric("false_alarms", "false alarms", lower_is_better=True),
    Metric("average_precision", "average precision", lower_is_better=False, is_share=True),
    Metric("roc_auc", "ROC AUC", lower_is_better=False, is_share=True),
    Metric("labelled_share", "share of labelled rows", lower_is_better=None, is_share=True),
    Metric("row_f1", "row F1", lower_is_better=False, is_share=True),
    Metric("point_adjusted_f1", "point-adjusted F1", lower_is_better=False, is_share=True),
    Metric("delay", "delay in rows", lower_is_better=True),
    Metric("false_alarms_per_week", "false alarms per week", lower_is_better=True, short="false per week"),
    Metric("alarms", "alarms", lower_is_better=None),
    Metric("alarms_per_week", "alarms per week", lower_is_better=None),
    Metric("flagged_share", "share of flagged rows", lower_is_better=None, is_share=True, short="flagged share"),
    Metric("highest_score", "highest score", lower_is_better=None),
)


Judged = tuple[np.ndarray, Sequence[Span], Sequence[Span]]
"""Of a series its scores, what was flagged and what is labelled."""


def answers_of(expected: np.ndarray, actual: np.ndarray) -> pl.DataFrame:
    """What was expected of windows beside what they were.

    Args:
        expected: Shape (windows, steps x outputs), standardised; for labels, their scores.
        actual: Same shape, NaN where nothing counts.

    Returns:
        The columns "actual" and "expected", a vector per window.
    """
    import polars as pl

    return pl.DataFrame({"actual": np.ascontiguousarray(actual), "expected": np.ascontiguousarray(expected)})


def error_metrics(answers: pl.DataFrame) -> dict[str, float]:
    """Mean absolute and root mean squared error of what was expected, over what counts.

    Args:
        answers: As `answers_of()` gives them.
    """
    expected, actual = answers["expected"].to_numpy(), answers["actual"].to_numpy()
    gaps = (expected - actual)[~np.isnan(actual)].astype(np.float64)
    if not len(gaps):
        return {"mae": float("nan"), "rmse": float("nan")}
    return {"mae": float(np.abs(gaps).mean()), "rmse": float(np.sqrt((gaps**2).mean()))}


def sample(answers: pl.DataFrame) -> Sample:
    """The mean absolute error of each window, which counts as often as it has values to compare."""
    expected, actual = answers["expected"].to_numpy(), answers["actual"].to_numpy()
    counts = (~np.isnan(actual)).sum(axis=1)
    errors = np.nansum(np.abs(expected - actual), axis=1, dtype=np.float64)
    return Sample(errors / np.maximum(counts, 1), counts / max(int(counts.sum()), 1), np.arange(len(counts)))


def detection_metrics(scores: np.ndarray, flagged: Sequence[Span], labelled: Sequence[Span]) -> dict[str, float]:
    """Every metric of one series.

    Args:
        scores: One score per row, NaN where a row has none, shape (rows,).
        flagged: What the detector flagged.
        labelled: What is anomalous.

    Returns:
        `span_precision`, `span_recall`, `span_f1` and, with a tolerance, `tolerant_span_f1`; how many `missed_spans`,
        `false_alarms` and `alarms` there are; `average_precision`, `row_f1` and `point_adjusted_f1` over rows;
        `delay`, the mean number of rows from the start of a labelled span that was found to the first flagged row in
        it. A figure that is not defined, such as the delay where nothing was found, is NaN.
    """
    return pooled_metrics([(scores, flagged, labelled)])


def pooled_metrics(series: Sequence[Judged], tolerance: int = 0) -> dict[str, float]:
    """Every metric over several series: spans and rows are counted together.

    Args:
        series: For each series its scores, flagged and labelled spans, as for `detection_metrics()`.
        tolerance: By so many rows the labelled spans are longer at both ends for `tolerant_span_f1`.
    """
    hits, false, missed = _counts(series)
    delays = [d for _, flagged, labelled in series for one in labelled if (d := _delay(one, flagged)) is not None]
    truth = np.concatenate([flags(labelled, len(scores)) for scores, _, labelled in series])
    answer = np.concatenate([flags(flagged, len(scores)) for scores, flagged, _ in series])
    adjusted = np.concatenate([_adjusted(len(scores), flagged, labelled) for scores, flagged, labelled in series])
    return {
        "span_f1": _f1(hits, false, missed),
        "span_precision": _share(hits, hits + false),
        "span_recall": _share(hits, hits + missed),
        "tolerant_span_f1": _f1(*_counts([(scores, f, _longer(known, tolerance)) for scores, f, known in series])),
        "missed_spans": float(missed),
        "false_alarms": float(false),
        "alarms": float(sum(len(flagged) for _, flagged, _ in series)),
        "average_precision": _average_precision(np.concatenate([scores for scores, _, _ in series]), truth),
        "row_f1": _row_f1(answer, truth),
        "point_adjusted_f1": _row_f1(adjusted, truth),
        "delay": float(np.mean(delays)) if delays else float("nan"),
    }


def false_alarms(series: Sequence[Judged]) -> int:
    """How many flagged spans have no row in common with a labelled one.

    Args:
        series: As for `pooled_metrics()`.
    """
    return sum(not any(f.overlaps(one) for one in labelled) for _, flagged, labelled in series for f in flagged)


def labelled_spans(labels: np.ndarray) -> list[Span]:
    """The spans of a column of labels, anomalous where above 0, shape (rows,)."""
    return spans(labels > 0)


def _counts(series: Sequence[Judged]) -> tuple[int, int, int]:
    """How many labelled spans are found, how many flagged ones are false, and how many labelled ones are missed."""
    hits = sum(any(one.overlaps(f) for f in flagged) for _, flagged, labelled in series for one in labelled)
    return hits, false_alarms(series), sum(len(labelled) for _, _, labelled in series) - hits


def _longer(labelled: Sequence[Span], rows: int) -> list[Span]:
    return [Span(one.first - rows, one.last + rows, one.peak) for one in labelled]


def _delay(one: Span, flagged: Sequence[Span]) -> int | None:
    starts = [max(f.first, one.first) - one.first for f in flagged if f.overlaps(one)]
    return min(starts) if starts else None


def _adjusted(rows: int, flagged: Sequence[Span], labelled: Sequence[Span]) -> np.ndarray:
    hits = [one for one in labelled if any(one.overlaps(f) for f in flagged)]
    return flags(flagged, rows) | flags(hits, rows)


def _average_precision(scores: np.ndarray, truth: np.ndarray) -> float:
    from sklearn.metrics import average_precision_score

    has_score = ~np.isnan(scores)
    if not truth[has_score].any():
        return float("nan")
    return float(average_precision_score(truth[has_score], scores[has_score]))


def _row_f1(answer: np.ndarray, truth: np.ndarray) -> float:
    return _f1(int((answer & truth).sum()), int((answer & ~truth).sum()), int((~answer & truth).sum()))


def _f1(true: int, false: int, missed: int) -> float:
    return _share(2 * true, 2 * true + false + missed)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
