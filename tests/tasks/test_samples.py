"""A table of answers as a sample: what its examples add up to is the metric that decides."""

import numpy as np
import pytest

from gatework.tasks import Sample
from gatework.tasks.classify import metrics as classify
from gatework.tasks.detect import metrics as detect
from gatework.tasks.forecast import metrics as forecast
from gatework.tasks.regress import metrics as regress

LEVELS = len(forecast.LEVELS)


def mean(sample: Sample) -> float:
    assert sample.weights.sum() == pytest.approx(1)
    return float(sample.weights @ sample.losses)


def test_of_a_classifier_it_is_the_share_of_wrong_answers() -> None:
    random = np.random.default_rng(0)
    answers = classify.answers_of(random.normal(size=(50, 3)), random.integers(0, 3, 50))
    assert mean(classify.sample(answers)) == pytest.approx(1 - classify.metrics(answers)["accuracy"])


def test_of_values_it_is_the_mean_squared_error() -> None:
    random = np.random.default_rng(1)
    answers = regress.answers_of(random.normal(size=(50, 2)), random.normal(size=(50, 2)))
    assert mean(regress.sample(answers)) == pytest.approx(regress.metrics(answers)["mse"])


def test_of_windows_it_is_the_mean_absolute_error_of_what_counts() -> None:
    random = np.random.default_rng(2)
    actual = random.normal(size=(20, 6))
    actual[random.random(actual.shape) < 0.3] = np.nan
    answers = detect.answers_of(random.normal(size=(20, 6)), actual)
    assert mean(detect.sample(answers)) == pytest.approx(detect.error_metrics(answers)["mae"])


def forecasts(series: int, origins: int, horizon: int = 4):
    """Answers of every origin of several series, with holes in what came to pass; the last series has no scale."""
    random = np.random.default_rng(3)
    kind = [("value", np.float64, (horizon,)), ("scale", np.float64)]
    actuals = np.empty(series * origins, [*kind, *((name, np.int64) for name in ("series", "target", "step"))])
    actuals["series"], actuals["step"] = np.divmod(np.arange(len(actuals)), origins)
    actuals["target"], actuals["scale"] = 0, 1.0 + actuals["series"]
    actuals["value"] = random.normal(size=(len(actuals), horizon))
    actuals["value"][random.random(actuals["value"].shape) < 0.2] = np.nan
    actuals["scale"][actuals["series"] == series - 1] = np.nan
    return forecast.answers_of(random.normal(size=(len(actuals), horizon, LEVELS)), actuals)


@pytest.mark.parametrize(("series", "origins"), [(2, 100), (5, 3), (4, 1)])
def test_of_forecasts_it_is_mase(series: int, origins: int) -> None:
    answers = forecasts(series, origins)
    assert mean(forecast.sample(answers)) == pytest.approx(forecast.metrics(*forecast.arrays_of(answers))["mase"])


def test_a_value_counts_once_however_many_origins_forecast_it() -> None:
    _, actuals = forecast.arrays_of(forecasts(2, 30))
    due = {
        (series, target, step + ahead)
        for target in (0, 1)
        for series, step, value in zip(actuals["series"], actuals["step"], actuals["value"], strict=True)
        for ahead in np.flatnonzero(~np.isnan(value))
    }
    other = actuals.copy()
    other["target"] = 1
    assert forecast.distinct_steps(np.concatenate([actuals, other])) == len(due)
    actuals["value"] = np.nan
    assert forecast.distinct_steps(actuals) == 0


def test_forecasts_of_one_stretch_of_time_are_one_group_or_one_by_series() -> None:
    # A hundred origins span ten times two horizons of four and more: all series' origins within one are alike.
    assert len(np.unique(forecast.sample(forecasts(2, 100)).blocks)) == 13
    assert len(np.unique(forecast.sample(forecasts(5, 1)).blocks)) == 5
    assert len(np.unique(forecast.sample(forecasts(1, 3)).blocks)) == 1


def test_whose_intervals_are_better_is_said_by_their_score() -> None:
    ours = {"msis_80": 2.0, "msis_95": 4.0}
    better, worse = {"msis_80": 1.5, "msis_95": 5.0}, {"msis_80": 3.0, "msis_95": 6.0}
    assert forecast.interval_remark(ours, {}) == ""
    assert forecast.interval_remark(ours, {"naive": worse}).startswith("By the interval score no simple method")
    assert forecast.interval_remark(ours, {"naive": worse, "AutoETS": better}) == (
        'A simple method has better intervals: the MSIS of its 80 % interval is 2, that of "AutoETS" 1.5.'
    )
