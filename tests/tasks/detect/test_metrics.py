"""Spans and their metrics, by examples small enough to count."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatework.tasks.detect.metrics import detection_metrics, labelled_spans, pooled_metrics
from gatework.tasks.detect.spans import Span, flags, fresh, onsets, spans


def test_spans_join_rows_over_gaps_and_peak_where_the_score_does():
    flagged = np.array([0, 1, 1, 0, 1, 0, 0, 0, 1], dtype=bool)
    scores = np.array([0, 1, 2, 9, 3, 0, 0, 0, 4.0])
    assert spans(flagged) == [Span(1, 2, 1), Span(4, 4, 4), Span(8, 8, 8)]
    assert spans(flagged, scores, gap=1) == [Span(1, 4, 4), Span(8, 8, 8)]
    assert spans(flagged, scores, gap=3) == [Span(1, 8, 8)]
    assert spans(np.zeros(5, dtype=bool)) == []


@given(st.lists(st.booleans(), max_size=40))
def test_rows_to_spans_and_back_is_the_identity(rows):
    flagged = np.array(rows, dtype=bool)
    assert (flags(spans(flagged), len(flagged)) == flagged).all()


def test_an_event_is_told_once_until_it_grows_or_rests():
    scores = np.array([0.1, 0.8, 0.5, 0.9, 0.6, 0.2, 0.3])
    assert fresh(scores, rest=2).tolist() == [0.1, 0.8, 0.0, 0.9, 0.0, 0.0, 0.3 * 0]
    assert fresh(scores, rest=1).tolist() == [0.1, 0.8, 0.0, 0.9, 0.0, 0.0, 0.3]
    assert fresh(scores, rest=0).tolist() == scores.tolist()
    # One that is as large as before has not grown.
    assert fresh(np.array([0.1, 0.8, 0.8, 0.3]), rest=2).tolist() == [0.1, 0.8, 0.0, 0.0]


def test_onsets_are_the_rows_at_which_spans_begin():
    scores = np.array([np.nan, 0.6, 0.9, 0.2, 0.7, 0.2, 0.2, 0.8])
    assert onsets(scores, 0.5, gap=1).tolist() == [0, 0.6, 0, 0, 0, 0, 0, 0.8]
    assert onsets(scores[3:4], 0.5, gap=1).tolist() == [0]


def test_span_figures_follow_the_overlap_rule():
    labelled = [Span(10, 19, 10), Span(40, 49, 40), Span(70, 79, 70)]
    flagged = [Span(18, 25, 20), Span(45, 45, 45), Span(47, 47, 47), Span(60, 62, 61)]
    found = detection_metrics(np.zeros(100), flagged, labelled)
    assert found["span_recall"] == pytest.approx(2 / 3)
    # Two labelled spans were found and one flagged span is false.
    assert found["span_precision"] == pytest.approx(2 / 3)
    assert found["span_f1"] == pytest.approx(2 / 3)
    assert found["delay"] == pytest.approx((8 + 5) / 2)


def test_a_tolerance_counts_what_is_a_little_early_or_late_and_the_plain_figures_stay():
    labelled = [Span(10, 19, 10), Span(40, 49, 40), Span(70, 79, 70)]
    flagged = [Span(8, 9, 8), Span(52, 55, 53), Span(60, 62, 61)]
    series = [(np.zeros(100), flagged, labelled)]
    strict, tolerant = pooled_metrics(series), pooled_metrics(series, tolerance=3)
    assert strict["span_f1"] == strict["tolerant_span_f1"] == 0
    assert (strict["missed_spans"], strict["alarms"], strict["false_alarms"]) == (3, 3, 3)
    # Two are found, one flagged span is false, one labelled span is missed.
    assert tolerant["tolerant_span_f1"] == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert {**tolerant, "tolerant_span_f1": 0} == pytest.approx(strict, nan_ok=True)
    assert pooled_metrics(series, tolerance=2)["tolerant_span_f1"] == pytest.approx(2 / (2 + 2 + 2))


def test_point_adjusting_flatters_and_the_plain_figure_stands_beside_it():
    found = detection_metrics(np.zeros(100), [Span(45, 45, 45)], [Span(40, 49, 40)])
    assert found["point_adjusted_f1"] == 1.0
    assert found["row_f1"] == pytest.approx(2 * 1 / (2 * 1 + 9))


def test_average_precision_leaves_out_rows_without_a_score():
    scores = np.array([np.nan, 0.9, 0.1, 0.8, 0.7])
    found = detection_metrics(scores, [], labelled_spans(np.array([1, 1, 0, 0, 1])))
    # The two labelled rows with a score stand at ranks 1 and 3 of four.
    assert found["average_precision"] == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_figures_that_are_not_defined_are_nan():
    found = detection_metrics(np.zeros(10), [], [])
    counts = ("missed_spans", "false_alarms", "alarms")
    assert all(found.pop(name) == 0 for name in counts)
    assert all(math.isnan(value) for value in found.values())


def test_several_series_are_counted_together():
    one = (np.zeros(10), [Span(1, 1, 1)], [Span(0, 2, 0)])
    other = (np.zeros(10), [Span(5, 5, 5)], [Span(8, 9, 8)])
    found = pooled_metrics([one, other])
    assert found["span_recall"] == pytest.approx(0.5)
    assert found["span_precision"] == pytest.approx(0.5)
