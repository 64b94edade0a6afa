"""Recurrent networks as scikit-learn's estimators."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import AdaBoostClassifier
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import gatework
from gatework.estimators import SequenceClassifier, SequenceRegressor
from support.custom_cells import MyLSTM

SMALL = {"cell": "rnn", "hidden": 6, "learning_rate": 0.05, "random_state": 0}


def rising(count=40, seed=0):
    """Series of 3 to 12 steps with two variables; the class is whether the first one rises."""
    random = np.random.default_rng(seed)
    series, names = [], []
    for k in range(count):
        steps = int(random.integers(3, 13))
        slope = 1.0 if k % 2 else -1.0
        trend = slope * np.linspace(0, 2, steps) + random.normal(scale=0.1, size=steps)
        series.append(np.stack([trend, random.normal(size=steps)], axis=1))
        names.append("up" if k % 2 else "down")
    return series, np.array(names)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning", "ignore:invalid value encountered in cast")
@pytest.mark.parametrize("estimator", [SequenceClassifier(epochs=8, **SMALL), SequenceRegressor(epochs=20, **SMALL)])
def test_scikit_learns_own_checks_pass_without_exception(estimator):
    results = check_estimator(estimator, on_fail=None)
    assert len(results) > 50
    # The array API is checked only where an environment variable switches it on before scikit-learn is imported. That
    # weights are as repeated examples is asked for to seven digits, which float32 does not have.
    others = {r["check_name"]: r["exception"] for r in results if r["status"] != "passed"}
    assert set(others) <= {"check_array_api_input", "check_sample_weight_equivalence_on_dense_data"}, others


def test_a_weighted_example_is_as_one_that_is_there_so_many_times():
    series, names = rising(12)
    values = np.array([one[:, 0].sum() for one in series])
    counts = np.array([0, 1, 2, 3] * 3)
    repeated = np.repeat(np.arange(12), counts)
    new = rising(20, seed=1)[0]
    settings = {**SMALL, "epochs": 15, "batch_size": 64}
    for kind, targets, said in (
        (SequenceClassifier, names, "predict_proba"),
        (SequenceRegressor, values, "predict"),
        (SequenceRegressor, np.stack([values, -values], axis=1), "predict"),
    ):
        fitted = kind(**settings).fit(series, targets, sample_weight=counts)
        again = kind(**settings).fit([series[k] for k in repeated], targets[repeated])
        plain = kind(**settings).fit(series, targets)
        answers = getattr(fitted, said)(new)
        np.testing.assert_allclose(answers, getattr(again, said)(new), rtol=1e-4, atol=1e-5)
        assert np.abs(answers - getattr(plain, said)(new)).max() > 1e-3


def test_an_example_of_weight_zero_is_as_one_that_is_not_there():
    series, names = rising(12)
    weights = np.array([0.0, 1.0, 1.0, 0.5] * 3)
    kept = np.flatnonzero(weights)
    new = rising(20, seed=1)[0]
    series[0] = series[0] * 1e6
    fitted = SequenceClassifier(epochs=4, **SMALL).fit(series, names, sample_weight=weights)
    without = SequenceClassifier(epochs=4, **SMALL).fit([series[k] for k in kept], names[kept], weights[kept])
    np.testing.assert_array_equal(fitted.predict_proba(new), without.predict_proba(new))
    larger = SequenceClassifier(epochs=4, **SMALL).fit(series, names, sample_weight=list(1024 * weights))
    np.testing.assert_array_equal(fitted.predict_proba(new), larger.predict_proba(new))


def test_weights_go_through_searches_scores_and_pipelines():
    series, names = rising()
    table = np.array([one[:3, 0] for one in series])
    weights = np.where(names == "up", 3.0, 1.0)
    search = GridSearchCV(SequenceClassifier(epochs=2, **SMALL), {"hidden": [2, 3]}, cv=2)
    search.fit(table, names, sample_weight=weights)
    score = search.best_estimator_.score(table, names, sample_weight=weights)
    assert score == pytest.approx(accuracy_score(names, search.predict(table), sample_weight=weights))
    pipeline = make_pipeline(StandardScaler(), SequenceClassifier(epochs=2, **SMALL))
    pipeline.fit(table, names, sequenceclassifier__sample_weight=weights)
    several = AdaBoostClassifier(SequenceClassifier(epochs=8, **SMALL), n_estimators=2).fit(table, names)
    assert several.score(table, names) > 0.9


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([1.0] * 39, r"sample_weight has shape \(39,\), expected \(40,\), one for each example"),
        ([[1.0]] * 40, r"sample_weight has shape \(40, 1\), expected \(40,\)"),
        ([-1.0] + [1.0] * 39, "sample_weight is -1 for one example, expected numbers from 0 on"),
        ([0.0] * 40, "every sample_weight is zero; there is nothing to learn from"),
        ([float("nan")] * 40, "sample_weight contains NaN"),
        (["much"] * 40, "could not convert string to float"),
    ],
)
def test_weights_that_are_none_are_refused(weights, said):
    series, names = rising()
    with pytest.raises(ValueError, match=said):
        SequenceClassifier(epochs=1, **SMALL).fit(series, names, sample_weight=weights)


def test_series_of_several_lengths_are_learnt_and_each_answer_is_its_own():
    series, names = rising()
    fitted = SequenceClassifier(epochs=10, **SMALL).fit(series, names)
    assert list(fitted.classes_) == ["down", "up"]
    new, expected = rising(20, seed=1)
    assert accuracy_score(expected, fitted.predict(new)) == 1
    together = fitted.predict_proba(new)
    alone = [fitted.predict_proba([one, one[:2]])[0] for one in new]
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_allclose(together.sum(axis=1), 1)


def test_an_array_of_three_dimensions_is_the_same_as_its_series():
    X = np.random.default_rng(0).normal(size=(30, 7, 2))
    y = X[:, :, 0].mean(axis=1)
    fitted = SequenceRegressor(epochs=3, **SMALL).fit(X, y)
    assert fitted.predict(X).shape == (30,)
    ragged = [*X, np.zeros((1, 2))]
    np.testing.assert_array_equal(fitted.predict(ragged)[:-1], fitted.predict(X))
    with pytest.raises(ValueError, match="X has 3 variables a step, but SequenceRegressor is expecting 2"):
        fitted.predict(np.zeros((2, 7, 3)))
    with pytest.raises(ValueError, match="X has 1 variables a step, but SequenceRegressor is expecting 2"):
        fitted.predict(X[:, :, 0])  # a table: one value a step


def test_an_estimator_learns_what_the_workbench_learns(tmp_path):
    """The same examples and seed give the very weights of `gatework.train`: there is one trainer."""
    X = np.random.default_rng(0).normal(size=(40, 5, 1))
    y = X[:, -1]
    fitted = SequenceRegressor(epochs=3, **SMALL).fit(X, y[:, 0])
    part = gatework.data.Split(X, y)
    dataset = gatework.data.Dataset.of("the examples", part, part.take(np.arange(1)), part.take(np.arange(1)))
    settings = {name: SMALL[name] for name in ("cell", "hidden", "learning_rate")}
    seed = fitted.recipe_.training.seed
    run = gatework.train(
        "regress", dataset, out=tmp_path / "run", recipe=fitted.recipe_, epochs=3, seed=seed, threads=1, **settings
    )
    ours, theirs = fitted.network_.state_dict(), run.network.state_dict()
    assert all(ours[name].equal(theirs[name]) for name in ours)


def test_several_values_are_told_of_each_example():
    X = np.random.default_rng(0).normal(size=(20, 4))
    fitted = SequenceRegressor(epochs=2, **SMALL).fit(X, X[:, :2])
    assert fitted.predict(X[:3]).shape == (3, 2)


def test_a_search_and_a_pipeline_hold_them():
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 6))
    y = (X[:, -1] > 0).astype(int)
    pipeline = make_pipeline(StandardScaler(), FunctionTransformer(), SequenceClassifier(epochs=4, **SMALL))
    search = GridSearchCV(pipeline, {"sequenceclassifier__hidden": [2, 6]}, cv=2).fit(X, y)
    assert search.best_score_ > 0.7
    series, names = rising()
    assert len(cross_val_score(SequenceClassifier(epochs=1, **SMALL), series, names, cv=2)) == 2


def test_a_pickle_holds_the_weights_and_a_clone_none():
    series, names = rising()
    fitted = SequenceClassifier(epochs=1, validation=0.2, **SMALL).fit(series, names)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(series), fitted.predict_proba(series))
    with pytest.raises(NotFittedError):
        clone(fitted).predict(series)


def test_a_cell_itself_stands_where_its_name_does():
    series, names = rising()
    fitted = SequenceClassifier(epochs=1, **SMALL | {"cell": MyLSTM}).fit(series, names)
    again = pickle.loads(pickle.dumps(clone(fitted).fit(series, names)))
    np.testing.assert_array_equal(again.predict_proba(series), fitted.predict_proba(series))


def test_settings_are_checked_in_the_workbenchs_sentences():
    X, y = np.zeros((6, 3)), np.arange(6.0)
    with pytest.raises(ValueError, match='did you mean "lstm"'):
        SequenceRegressor(cell="lstn").fit(X, y)
    with pytest.raises(ValueError, match="validation is 1, expected a share from 0 to below 1"):
        SequenceRegressor(validation=1).fit(X, y)
    with pytest.raises(ValueError, match="the same number in each was expected"):
        SequenceRegressor().fit([np.zeros((2, 1)), np.zeros((3, 2))], [1, 2])
