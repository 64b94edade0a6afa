"""Recurrent networks as scikit-learn's estimators."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
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
    # The array API is checked only where an environment variable switches it on before scikit-learn is imported.
    others = {r["check_name"]: r["exception"] for r in results if r["status"] != "passed"}
    assert set(others) <= {"check_array_api_input"}, others


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
