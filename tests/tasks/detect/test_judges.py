"""Errors smoothed and judged at their scales, and thresholds that keep to a number of alarms per week."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from gatework.bench.faulty.sensors import faulty_series
from gatework.errors import UsageError
from gatework.tasks.detect.budget import factor, weeks_of
from gatework.tasks.detect.detector import Detector, read_rows
from gatework.tasks.detect.judges import JUDGINGS, Judge, judgings, ratios
from gatework.tasks.detect.options import DetectOptions
from gatework.tasks.detect.smoothing import ExponentialSmoothing, MeanSmoothing, RankSmoothing
from gatework.tasks.detect.thresholds import LikelihoodThreshold
from gatework.training import train
from support.sensors import payments

HOUR = 3_600_000_000


def test_a_mean_over_rows_is_that_of_the_known_ones() -> None:
    errors = np.array([[9.0], [2.0], [4.0], [3.0], [np.nan], [6.0]])
    np.testing.assert_allclose(MeanSmoothing(1, 3).run(errors)[:, 0], [np.nan, np.nan, np.nan, 3, np.nan, 4.5])
    np.testing.assert_array_equal(MeanSmoothing(1, 1).run(errors), errors)


def test_exponential_smoothing_is_pandas_mean_of_that_span() -> None:
    pandas = pytest.importorskip("pandas")
    errors = np.random.default_rng(0).exponential(size=200)
    expected = pandas.Series(errors).ewm(span=20, adjust=False).mean()
    np.testing.assert_allclose(ExponentialSmoothing(1, 20).run(errors[:, None])[:, 0], expected)


@pytest.mark.parametrize("smoothing", [MeanSmoothing, ExponentialSmoothing, RankSmoothing])
def test_rows_smoothed_in_parts_are_those_smoothed_at_once(smoothing) -> None:
    errors = np.random.default_rng(1).exponential(size=(90, 2))
    errors[[3, 20], 0] = np.nan
    parts = smoothing(2, 7)
    np.testing.assert_allclose(
        np.concatenate([parts.run(part) for part in np.split(errors, [13, 14, 71])]), smoothing(2, 7).run(errors)
    )


def test_ranks_count_what_is_rare_however_far_the_tail_reaches() -> None:
    errors = np.random.default_rng(4).permutation(np.arange(1.0, 101.0))
    errors = np.append(errors, [50.5, 1e9])
    ranks = RankSmoothing(1, 1, power=2, every=1).run(errors[:, None])[:, 0]
    assert np.isnan(ranks[:30]).all()
    assert not np.isnan(ranks[30:]).any()
    np.testing.assert_allclose(ranks[-2:], [0.5**2, 1.0])
    mean = RankSmoothing(1, 10, past=1000).run(np.random.default_rng(5).pareto(1.1, size=(20_000, 1)))[1000:, 0]
    # Ranks of any law are uniform; a mean of 10 correlates with 9 others, which leaves some 1,900 with 0.05 each.
    assert mean.mean() == pytest.approx(1 / 21, abs=4 * 0.05 / 1900**0.5)


def test_the_likelihood_of_a_normal_law_is_exceeded_as_often_as_its_deviations_say() -> None:
    errors = 5 + np.random.default_rng(2).normal(size=40_000)
    rule = LikelihoodThreshold(deviations=2.0)
    rule.fit(errors[:5000])
    share = (errors > rule.run(errors)).mean()
    # Beyond two deviations lie 2.3 %; capping what is above makes the past a little narrower.
    assert 0.023 - 0.002 < share < 0.023 + 0.01


def test_slight_and_long_departures_are_found_by_the_long_scale_and_spikes_by_the_short_one() -> None:
    random = np.random.default_rng(3)
    errors, usual = random.exponential(size=(600, 1)), random.exponential(size=(3000, 1))
    errors[200:260] += 1.5
    errors[400] = 25.0
    chosen = judgings(DetectOptions())
    short, long = (Judge(j, j.smoothing(1).run(usual)).run(errors)[0] > 1 for j in chosen)
    assert not short[200:260].any()
    assert long[220:260].any()
    assert short[400]
    assert not short[:200].any()
    assert not long[:200].any()


def test_a_smoothing_of_ones_own_takes_the_place_of_every_rules() -> None:
    errors = np.arange(10.0)[:, None]
    for judging in judgings(DetectOptions(smooth=5)):
        np.testing.assert_array_equal(judging.smoothing(1).run(errors), MeanSmoothing(1, 5).run(errors))


@pytest.mark.parametrize("per_week", [1.0, 5.0, 20.0])
def test_a_budget_is_kept_on_rows_like_those_it_was_learnt_from(per_week: float) -> None:
    random = np.random.default_rng(4)
    held, later = random.exponential(size=20_000), random.exponential(size=200_000)
    limit = factor([held], weeks=10.0, per_week=per_week, gap=0)
    alarms = (later > limit).sum() / 100
    # So many of the held-back rows were above; that is a Poisson count, as is that of the later ones.
    assert abs(alarms - per_week) < 4 * (per_week / 10 + per_week / 100) ** 0.5 + 0.1 * per_week


def test_less_than_one_alarm_in_the_held_back_rows_is_taken_from_their_tail() -> None:
    held = np.random.default_rng(5).pareto(2.0, size=5000) + 1
    limits = [factor([held], weeks=1.0, per_week=per_week, gap=0) for per_week in (0.01, 0.1, 0.5)]
    assert limits == sorted(limits, reverse=True)
    # P(X > x) = x^-2, so that 0.1 of 5,000 rows lie above the root of 50,000.
    assert limits[1] == pytest.approx(50_000**0.5, rel=0.6)
    assert factor([np.zeros(10)], 1.0, 1.0, 0) == 1.0


def test_one_departure_counts_once_in_a_budget_also_where_it_is_cut_by_what_it_is_counted_in() -> None:
    ratios = np.zeros(66)
    ratios[[10, 11, 40]] = 5.0, 4.0, 2.0
    # One alarm is allowed; the next largest departure is the limit.
    assert factor([ratios], weeks=1.0, per_week=1.0, gap=10) == 2.0


def test_weeks_are_rows_times_their_typical_step() -> None:
    stamps = np.arange(0, 7 * 24 * HOUR, HOUR)
    assert weeks_of([stamps, stamps[:24]]) == pytest.approx(1 + 1 / 7)
    assert weeks_of([stamps[:1]]) == 0


def test_the_largest_ratio_of_a_row_decides() -> None:
    chosen = judgings(DetectOptions(threshold="quantile"))
    errors = np.array([[1.0, 9.0], [np.nan, np.nan], [1.0, 1.0]])
    usual = np.ones((100, 2))
    found = ratios(chosen, [errors], [usual])
    np.testing.assert_allclose(found, [9 / (1.25 * 1.05), 0, 1 / (1.25 * 1.05)])


def test_a_detector_with_a_budget_alarms_about_as_often_on_rows_without_fault(tmp_path) -> None:
    made = faulty_series("level", seed=7, learnt=5000, rows=6200, each=1)
    frame = pl.DataFrame({"time": made.stamps, "value": made.values})
    how = {"time": "time", "target": "value", "epochs": 1, "hidden": 4, "threads": 1, "context": 24}
    run = train("detect", frame[:3000], out=tmp_path / "run", alarms_per_week=2.0, **how)
    loose = float(run.network.budget)
    rows = read_rows(frame[3000:5000], run.recipe, run.task).series[0]
    detector = Detector.of(run)
    alarms = len(detector.spans(detector.answers(rows).scores)) / weeks_of([rows.stamps])
    # Two alarms in each of 1.8 weeks were allowed, and six weeks are watched: Poisson counts of 4 and 12.
    assert alarms < 2 + 4 * (2 / 1.8 + 2 / 6) ** 0.5
    table = run.evaluate(frame.with_columns(anomaly=pl.Series(made.labels))[5000:], label="anomaly")
    assert table.metrics["false_alarms_per_week"] >= 0
    strict = replace(run.task, settings=replace(run.task.settings, alarms_per_week=0.1))
    strict.calibrate(run.network, strict.load(frame[:3000], run.recipe), [])
    assert float(run.network.budget) > loose


def test_a_budget_is_refused_where_labels_are_learnt_from(tmp_path) -> None:
    columns = {"time": "time", "series": "account", "target": "amount", "label": "fraud"}
    with pytest.raises(UsageError, match="--alarms-per-week is for detectors that learn without labels"):
        train("detect", payments(), out=tmp_path / "run", alarms_per_week=1.0, epochs=1, threads=1, **columns)


@pytest.mark.parametrize("name", JUDGINGS)
def test_rows_judged_in_parts_are_those_judged_at_once(name: str) -> None:
    errors = np.random.default_rng(0).exponential(size=(900, 2))
    errors[300:] *= 9
    errors[[420, 700, 701], 0] = np.nan
    for judging in JUDGINGS[name]:
        parts, whole = Judge(judging, errors[:100]), Judge(judging, errors[:100])
        found = [parts.run(part) for part in np.split(errors, [420, 421, 701])]
        for in_parts, at_once in zip(zip(*found, strict=True), whole.run(errors), strict=True):
            np.testing.assert_array_equal(np.concatenate(in_parts), at_once)


@pytest.mark.parametrize("of", [0, 1])
def test_a_series_that_errs_more_for_good_is_judged_by_what_it_is_now(of: int) -> None:
    errors = np.abs(np.random.default_rng(0).normal(size=(4000, 1)))
    errors[1500:] += 20
    judging = judgings(DetectOptions())[of]
    smoothed = judging.smoothing(1).run(errors)
    usual = smoothed[500:1500]
    learnt = Judge(judging, usual).judge(smoothed[1500:])[0][:, 0] > 1
    never = Judge(judging._replace(is_learnt_again=False), usual).judge(smoothed[1500:])[0][:, 0] > 1
    # The median of 300 rows follows once 150 are of the new kind, looked at every 20; a mean of 24 lags 12 rows.
    assert learnt[30:150].all()
    assert not learnt[200:].any()
    assert never[30:250].all()
