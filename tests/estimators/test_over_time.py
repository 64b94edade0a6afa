"""Estimators of rows in the order of time: a forecaster and a detector of anomalies."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from gatework.estimators import AnomalyDetector, Forecaster

TINY = {"cell": "rnn", "hidden": 3, "epochs": 1, "random_state": 0}
_OF_ONE_VARIABLE = "one variable may be given as an array of one dimension"
_BEYOND = "it asks for as many steps as were fitted, and a forecast ends at the horizon"
EXPECTED = {
    AnomalyDetector: {
        "check_methods_sample_order_invariance": "a row is judged by those before it",
        "check_methods_subset_invariance": "a row is judged by those before it",
        "check_fit1d": _OF_ONE_VARIABLE,
    },
    Forecaster: {
        **dict.fromkeys(
            (
                "check_dict_unchanged",
                "check_dtype_object",
                "check_estimators_dtypes",
                "check_estimators_pickle",
                "check_f_contiguous_array_estimator",
                "check_fit_idempotent",
                "check_methods_sample_order_invariance",
                "check_methods_subset_invariance",
            ),
            _BEYOND,
        ),
        "check_fit1d": _OF_ONE_VARIABLE,
    },
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize("estimator", [AnomalyDetector(context=8, **TINY), Forecaster(**TINY)])
def test_scikit_learns_own_checks_pass_but_for_those_that_time_forbids(estimator):
    results = check_estimator(estimator, on_fail=None)
    assert len(results) >= 40
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] != "passed"}
    failed.pop("check_array_api_input", None)
    assert set(failed) == set(EXPECTED[type(estimator)]), failed
    assert all(
        "expected 1 to" in str(failed[name]) for name, why in EXPECTED[type(estimator)].items() if why == _BEYOND
    )


def waves(steps=240, seed=0):
    """A sine of 12 steps with a little noise."""
    random = np.random.default_rng(seed)
    return 10 + np.sin(np.arange(steps) * np.pi / 6) + random.normal(scale=0.05, size=steps)


def test_a_forecaster_follows_a_season_and_its_pickle_says_the_same():
    series = waves()
    fitted = Forecaster("rnn", 8, horizon=12, season=12, epochs=4, random_state=0).fit(series[:-24])
    forecast = fitted.predict()
    assert mean_absolute_error(series[-24:-12], forecast) < 0.15
    np.testing.assert_array_equal(fitted.predict(3), forecast[:3])
    np.testing.assert_array_equal(fitted.predict([2, 12]), forecast[[1, 11]])
    low, middle, high = fitted.predict_quantiles(12, (0.025, 0.5, 0.975))
    np.testing.assert_array_equal(middle, forecast)
    assert (low < middle).all()
    assert (middle < high).all()
    # The naive forecast errs by 1 in this measure, and one that knew the season without its noise by 0.7.
    assert -1 < fitted.score(series[-24:]) < 0
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(), forecast)
    assert again.score(series[-24:]) == fitted.score(series[-24:])
    with pytest.raises(NotFittedError):
        clone(fitted).predict()
    with pytest.raises(ValueError, match="1 to 13, expected 1 to 12, which this forecaster was fitted for"):
        fitted.predict(13)
    with pytest.raises(ValueError, match=r"the level 0\.3 is not known"):
        fitted.predict_quantiles(1, (0.3,))


def test_a_series_of_polars_is_a_series():
    series = waves()
    for kind in (Forecaster(**TINY, horizon=3), AnomalyDetector(**TINY, context=12)):
        fitted, expected = clone(kind).fit(pl.Series("sold", series)), clone(kind).fit(series)
        asked = (2,) if isinstance(kind, Forecaster) else (pl.Series("sold", series),)
        answers = fitted.predict(*asked), expected.predict(*asked)
        np.testing.assert_array_equal(*answers)
        assert np.ndim(answers[0]) == 1


def test_what_is_known_ahead_moves_a_forecast():
    random = np.random.default_rng(0)
    offers = random.integers(0, 2, (300, 1)).astype(float)
    series = np.stack([5 + 3 * offers[:, 0], 20 - offers[:, 0]], axis=1) + random.normal(scale=0.05, size=(300, 2))
    settings = {"horizon": 4, "window": 8, "skip": "mean", "learning_rate": 0.02, "epochs": 12, "random_state": 0}
    fitted = Forecaster("gru", 8, **settings).fit(offers, series)
    ahead = np.array([[1.0], [0.0], [1.0], [0.0]])
    forecast = fitted.predict(ahead)
    assert forecast.shape == (4, 2)
    np.testing.assert_allclose(forecast[:, 0], [8, 5, 8, 5], atol=0.6)
    with pytest.raises(ValueError, match="said to be known ahead"):
        fitted.predict(2)


def test_a_search_over_time_answers_with_the_dates_that_follow():
    index = pd.date_range("2020-01-01", periods=140, freq="D")
    sales = pd.Series(waves(140) + (index.dayofweek > 4), index, name="sales")
    forecaster = Forecaster("rnn", 4, horizon=7, epochs=2, random_state=0)
    search = GridSearchCV(forecaster, {"cell": ["rnn", "gru"]}, cv=TimeSeriesSplit(2, test_size=14)).fit(sales)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    forecast = search.predict(3)
    assert forecast.name == "sales"
    assert list(forecast.index) == list(pd.date_range("2020-05-20", periods=3, freq="D"))
    best = search.best_estimator_
    best.fit(sales.to_period())
    assert list(best.predict(1).index) == [pd.Period("2020-05-20", "D")]
    best.set_params(horizon=2).fit(
        sales.set_axis(pd.date_range("2020-03-20", periods=140, freq="h", tz="Europe/Berlin"))
    )
    assert best.predict(1).index.equals(pd.DatetimeIndex(["2020-03-25 20:00"], tz="Europe/Berlin"))
    with pytest.raises(ValueError, match="the dates of the rows go back"):
        clone(forecaster).fit(sales[::-1])


def test_a_detector_flags_what_breaks_the_rhythm():
    X = np.stack([waves(400), waves(400, 1)], axis=1)
    new = waves(100, 2)[:, None] + np.zeros((1, 2))
    new[60] += (4, 0)
    new[80] = np.nan
    detector = AnomalyDetector("rnn", 8, context=24, epochs=4, learning_rate=0.02, random_state=0)
    answers = detector.fit(X).predict(new)
    assert answers[60] == -1
    assert (answers[24:60] == 1).all()
    assert answers[80] == 1
    scores = detector.score_samples(new)
    assert scores.argmin() == 60
    assert scores[80] == 0
    np.testing.assert_array_equal(detector.decision_function(new) < 0, answers == -1)
    again = pickle.loads(pickle.dumps(detector))
    np.testing.assert_array_equal(again.score_samples(new), scores)
    piped = make_pipeline(StandardScaler(), clone(detector).set_params(contamination=0.05, epochs=1))
    assert (piped.fit(X).predict(X) == -1).mean() == pytest.approx(0.05)
    with pytest.raises(ValueError, match='expected "auto" or a share above 0'):
        AnomalyDetector(contamination=0.7).fit(X)


def test_a_detector_reads_the_clock_from_a_pandas_index():
    index = pd.date_range("2024-01-01", periods=24 * 8, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"load": np.where(index.hour < 6, 1.0, 5.0)}, index)
    detector = AnomalyDetector(context=8, **TINY).fit(frame)
    assert detector.task_.periods == (86_400,)
    assert AnomalyDetector(context=8, **TINY).fit(frame.to_numpy()[:, 0]).task_.periods == ()
    assert list(detector.feature_names_in_) == ["load"]
