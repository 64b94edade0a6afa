"""Thresholds: laws whose quantiles are known, worked examples, and the promises that all of them make."""

import tracemalloc

import numpy as np
import pytest
from scipy import stats

from gatework.errors import UsageError
from gatework.tasks.detect.thresholds import (
    THRESHOLDS,
    DynamicThreshold,
    Growth,
    PeaksThreshold,
    QuantileThreshold,
    Window,
    fit_pareto,
    threshold,
)


def test_a_window_keeps_the_last_values_in_order():
    window = Window(3)
    for value in (1.0, 2.0):
        window.add(value)
    assert window.values().tolist() == [1.0, 2.0]
    for value in (3.0, 4.0, 5.0):
        window.add(value)
    assert window.values().tolist() == [3.0, 4.0, 5.0]
    assert len(window) == 3


@pytest.mark.parametrize(("shape", "scale"), [(0.3, 2.0), (0.0, 1.0), (-0.2, 0.5)])
def test_a_pareto_fit_finds_the_law_it_was_drawn_from(shape, scale):
    count = 4000
    drawn = stats.genpareto.rvs(shape, scale=scale, size=count, random_state=0)
    found_shape, found_scale = fit_pareto(drawn)
    # The estimates' standard errors (Smith 1987): (1 + shape) / sqrt(n), and scale sqrt(2 (1 + shape) / n).
    assert abs(found_shape - shape) < 4 * (1 + shape) / count**0.5
    assert abs(found_scale - scale) < 4 * scale * (2 * (1 + shape) / count) ** 0.5


def test_a_pareto_fit_is_as_likely_as_the_library_one():
    drawn = stats.genpareto.rvs(0.2, scale=1.5, size=300, random_state=1)
    ours = fit_pareto(drawn)
    theirs = stats.genpareto.fit(drawn, floc=0)
    ours_likelihood = stats.genpareto.logpdf(drawn, ours[0], scale=ours[1]).sum()
    assert ours_likelihood > stats.genpareto.logpdf(drawn, theirs[0], scale=theirs[2]).sum() - 0.05


def test_peaks_over_threshold_extrapolates_an_exponential_tail():
    rule = PeaksThreshold(probability=1e-4)
    rule.fit(np.random.default_rng(0).exponential(size=20_000))
    # 400 peaks: the scale's relative error is about 1 / sqrt(400), and the tail is log(200) = 5.3 scales long.
    assert rule.step(0.0) == pytest.approx(-np.log(1e-4), rel=0.25)


def test_a_stream_of_usual_errors_is_flagged_about_as_often_as_it_was_told():
    errors = np.random.default_rng(1).exponential(size=110_000)
    rule = PeaksThreshold(probability=1e-4)
    rule.fit(errors[:10_000])
    flagged = (errors[10_000:] > rule.run(errors[10_000:])).sum()
    # 10 are expected; a Poisson count leaves this range once in 10,000.
    assert 1 <= flagged <= 24


def test_an_error_above_the_threshold_is_not_learnt_from():
    rule = PeaksThreshold()
    rule.fit(np.random.default_rng(0).exponential(size=2000))
    before = rule.step(0.0)
    rule.step(1e6)
    assert rule.step(0.0) == pytest.approx(before, rel=1e-3)


def test_the_quantile_rule_is_the_quantile_of_the_last_errors_times_its_margin():
    rule = QuantileThreshold(quantile=0.5, margin=3.0, window=5, floor=0.0)
    rule.fit(np.array([9.0, 9.0, 1.0, 2.0, 3.0, 4.0, 5.0]))
    assert rule.step(0.0) == pytest.approx(9.0)


def test_an_outbreak_raises_the_quantile_rule_no_faster_than_by_its_margin():
    rule = QuantileThreshold(margin=1.5, window=100, floor=0.0)
    rule.fit(np.ones(100))
    first = rule.step(1e9)
    for _ in range(19):
        rule.step(1e9)
    assert first == pytest.approx(1.5)
    assert rule.step(1e9) <= 1.5**2 + 1e-9


def test_the_dynamic_rule_separates_a_burst_from_the_usual_errors():
    errors = np.abs(np.random.default_rng(0).normal(size=500))
    errors[300:305] = 20.0
    rule = DynamicThreshold(window=500)
    rule.fit(errors)
    assert errors[np.arange(500) < 300].max() < rule.step(0.0) < 20.0


def test_the_dynamic_rule_flags_nothing_where_no_error_stands_out():
    errors = np.tile([1.0, 1.02, 1.04, 1.06], 100)
    rule = DynamicThreshold(window=400)
    rule.fit(errors)
    assert rule.step(1.0) > errors.max()


@pytest.mark.parametrize("name", THRESHOLDS)
def test_a_threshold_never_looks_at_the_row_it_judges_or_later_ones(name):
    errors = np.abs(np.random.default_rng(0).normal(size=400))
    later = errors.copy()
    later[250:] *= 50
    found = []
    for series in (errors, later):
        rule = threshold(name)
        rule.fit(series[:100])
        found.append(rule.run(series[100:]))
    assert (found[0][:151] == found[1][:151]).all()


@pytest.mark.parametrize("name", THRESHOLDS)
def test_a_threshold_takes_errors_that_are_all_the_same_or_missing(name):
    for errors in (np.zeros(50), np.full(50, 3.0), np.full(50, np.nan), np.array([])):
        rule = threshold(name)
        rule.fit(errors)
        found = rule.run(np.array([0.0, np.nan, 0.0, 1.0]))
        assert np.isfinite(found).all()
        assert (found > 0).all()


@pytest.mark.parametrize("name", THRESHOLDS)
def test_memory_stays_flat_over_a_long_stream(name):
    rule = threshold(name)
    rule.fit(np.random.default_rng(0).exponential(size=2500))
    errors = np.random.default_rng(1).exponential(size=3000)
    for error in errors:
        rule.step(float(error))
    tracemalloc.start()
    for error in np.tile(errors, 2):
        rule.step(float(error))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 64_000


def test_an_unknown_threshold_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError, match='did you mean "quantile"'):
        threshold("quantil")


def test_errors_have_grown_where_their_median_is_half_as_large_again_and_never_shrink():
    growth = Growth(floor=0.0, rows=40, every=1)
    growth.fit(np.array([1.0, 2.0, 9.0]))
    assert growth.run(np.full(40, 2.0)).tolist() == [1.0] * 40
    # Until half of the last 40 rows are at 10 the median is 2, then between the two, then 10, five times the usual one.
    assert growth.run(np.full(23, 10.0)).tolist() == [1.0] * 20 + [3.0] + [5.0] * 2
    assert growth.run(np.array([np.nan, 0.0])).tolist() == [5.0, 5.0]
    assert growth.run(np.full(60, 2.9))[-1] == 1.0
    assert growth.run(np.full(60, 3.1))[-1] == pytest.approx(1.55)
    assert growth.run(np.zeros(60))[-1] == 1.0
    # No more than the largest median of as many rows in a row is as usual, however far above the median of all.
    bursts = Growth(floor=0.0, rows=40, every=1)
    bursts.fit(np.concatenate([np.ones(100), np.full(40, 2.0)]))
    assert bursts.run(np.full(60, 2.0))[-1] == 1.0
    assert bursts.run(np.full(60, 2.1))[-1] == pytest.approx(2.1)
    never = Growth(floor=0.0, rows=2, every=1)
    never.fit(np.zeros(5))
    assert never.run(np.ones(5)).tolist() == [1.0] * 5
