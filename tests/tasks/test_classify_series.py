"""Classes of series from a long table: the whole way, beside the nearest series and pooled values."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest

import gatework as gw
from gatework import tasks
from gatework.data.inputs import RaggedSeries, SeriesInputs
from gatework.errors import DataError, UsageError
from gatework.inside.page.write import write_page
from gatework.tasks import _warping
from gatework.tasks._warping import distances
from gatework.tasks.classify import baselines
from gatework.tasks.classify.kernels import drawn
from gatework.tasks.classify.linear import LinearClassifier, Weights, flat, pooled
from gatework.tasks.classify.report.errors import _lines, series_width
from gatework.tasks.classify.warping import class_scores
from support.long_tables import COLUMNS, small, waves


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    waves().write_csv(folder / "waves.csv")
    return gw.train("classify", folder / "waves.csv", out=folder / "run", recipe=small(), threads=1)


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """The distance by the definition, entry by entry."""
    found = np.full((len(one) + 1, len(other) + 1), np.inf)
    found[0, 0] = 0.0
    for i, j in itertools.product(range(len(one)), range(len(other))):
        found[i + 1, j + 1] = ((one[i] - other[j]) ** 2).sum() + min(found[i, j], found[i, j + 1], found[i + 1, j])
    return float(found[-1, -1])


def test_the_distances_are_those_of_the_definition_for_series_of_any_length(monkeypatch):
    random = np.random.default_rng(0)
    some, others = (
        [random.normal(size=(length, 3)) for length in lengths] for lengths in ((7, 1, 12), (1, 5, 7, 12, 2))
    )
    expected = [[apart(one, other) for other in others] for one in some]
    # A squared distance is a difference of sums of squares, some 10 each, that float64 rounds.
    one, other = RaggedSeries.of(some), RaggedSeries.of(others)
    np.testing.assert_allclose(distances(one, other), expected, rtol=1e-12, atol=1e-12)
    for name, most in (("_PAIRS", 4), ("_MOST_NUMBERS", 24)):
        monkeypatch.setattr(_warping, name, most)
        np.testing.assert_allclose(distances(one, other), expected, rtol=1e-12, atol=1e-12)


def test_a_class_is_as_near_as_the_mean_of_its_nearest_series():
    far = np.array([[1.0, 9.0, 2.0, 4.0], [8.0, 8.0, 8.0, 1.0]])
    known = np.array([0, 0, 0, 1])
    # Of the two nearest: 1.5 and 4, and twice as far for the class that nobody knows; means over classes 4.5 and 8.33.
    np.testing.assert_allclose(
        class_scores(far, known, 3, 2), [[-1.5 / 4.5, -4 / 4.5, -8 / 4.5], [-24 / 25, -3 / 25, -48 / 25]]
    )
    np.testing.assert_allclose(class_scores(far, known, 2), [[-0.4, -1.6], [-16 / 9, -2 / 9]])


def test_pooled_values_are_the_statistics_of_each_variable_and_the_length():
    series = RaggedSeries.of([np.array([[1.0, 4.0], [3.0, 0.0]]), np.array([[5.0, 6.0]])])
    assert pooled(series).tolist() == [
        [2, 2, 1, 2, 1, 0, 3, 4, 1, 4, 3, 0, 2],
        [5, 6, 0, 0, 5, 6, 5, 6, 5, 6, 5, 6, 1],
    ]


def test_the_nearest_series_tells_waves_apart_and_stands_beside_the_others(run):
    task, dataset = run.task, tasks.load(str(run.recipe.data.dataset), run.recipe)
    found = {baseline.name: task.metrics(baseline.answers)["accuracy"] for baseline in task.baselines(dataset)}
    assert list(found) == [
        "majority class",
        "pooled values + logistic regression",
        "1-nearest neighbour by time warping",
        "random kernels + ridge classifier",
    ]
    assert found["1-nearest neighbour by time warping"] > found["majority class"]
    assert found["random kernels + ridge classifier"] > found["majority class"]
    assert task.absent(dataset) == []


def test_too_many_series_are_not_compared_and_the_run_says_so(run, monkeypatch):
    dataset = tasks.load(str(run.recipe.data.dataset), run.recipe)
    monkeypatch.setattr(baselines, "_MOST_CELLS", 100)
    monkeypatch.setattr(baselines, "_MOST_COMPARED", 100)
    by_warping, by_kernels = run.task.absent(dataset)
    assert "time warping is not run: it would compare" in by_warping
    assert "random kernels + ridge classifier is not run: it would make" in by_kernels
    monkeypatch.setattr(baselines, "_MOST_SERIES", 10)
    assert "there are" in run.task.absent(dataset)[1]
    assert len(run.task.baselines(dataset)) == 2


def test_a_random_kernel_answers_by_its_definition_and_a_feature_is_the_share_above_a_bias():
    random = np.random.default_rng(0)
    series = RaggedSeries.of([random.normal(size=(length, 3)) for length in (30, 21, 5)])
    made = drawn(series, 84 * 4, random)
    assert {each.biases.shape[0] for each in made} == {84}
    assert sum(each.biases.shape[1] for each in made) == 4
    one = series[1]
    for dilated in made:
        (answers,) = dilated.answers(one, np.array([6]))
        weights = np.full(9, -1.0)
        weights[[0, 1, 8]] = 2.0  # the seventh of all choices of three places
        summed = np.pad(one[:, dilated.chosen[6] > 0].sum(axis=1), 4 * dilated.apart)
        expected = [weights @ summed[at : at + 8 * dilated.apart + 1 : dilated.apart] for at in range(len(one))]
        # Variables are chosen by factors in float32.
        np.testing.assert_allclose(answers, expected, atol=1e-5)
        inside = slice(None) if dilated.is_padded[6] else slice(4 * dilated.apart, -4 * dilated.apart)
        shares = (answers[inside, None] > dilated.biases[6]).mean(axis=0)
        np.testing.assert_allclose(dilated.features(one).reshape(84, -1)[6], shares, atol=1e-6)


def test_a_table_without_labels_is_answered_with_one_row_for_each_series(run):
    frame = waves(9, seed=3)
    answers = run.predictor.answer(frame.drop("y"))
    assert answers["id"].to_list() == frame["id"].unique(maintain_order=True).to_list()
    assert set(answers["label"]) <= {"fast", "slow"}
    # The same rows in another order are the same series.
    again = run.predictor.answer(frame.drop("y").sort("id", "t"))
    assert again.sort("id")["label"].equals(answers.sort("id")["label"])


def test_a_labelled_table_is_measured_and_listed_by_series(run):
    frame = waves(9, seed=3)
    scores = run.predictor.evaluate(frame)
    rows = run.predictor.backtest(frame, scores)
    assert rows["id"].to_list() == frame["id"].unique(maintain_order=True).to_list()
    assert rows["is_right"].mean() == pytest.approx(scores.metrics["accuracy"])
    with pytest.raises(DataError, match='no column "y"'):
        run.predictor.evaluate(frame.drop("y"))
    with pytest.raises(DataError, match='no column "b"'):
        run.predictor.answer(frame.drop("b"))


def test_what_a_long_table_does_not_allow_is_said_in_a_sentence(run, tmp_path):
    waves(4).write_parquet(tmp_path / "part.parquet")
    with pytest.raises(UsageError, match="reads a table as a whole"):
        list(run.predictor.answer_parts(tmp_path))
    assert run.task.takes == ("series",)


def test_a_report_and_a_comparison_stand(run, tmp_path):
    assert "atten" in gw.report(run.path).read_text(encoding="utf-8")
    data = run.recipe.data.dataset
    gw.compare(data, task="classify", recipe=small(epochs=1), cells=["lstm"], seeds=1, out=tmp_path / "compared")
    assert "time warping" in gw.report(tmp_path / "compared").read_text(encoding="utf-8")


def test_each_variable_of_a_series_is_a_line_of_its_own_and_has_its_name(run, tmp_path):
    # Two variables, one step after the other: the first rises from 0 to 2, the second falls from 9 to 5.
    first, second = _lines([0, 9, 1, 7, 2, 5], 2)
    assert first == "0.0,9.5 50.0,5.0 100.0,0.5"
    assert second == "0.0,10.5 50.0,15.0 100.0,19.5"
    assert series_width(run.task.state()) == 2
    page = write_page([run], tmp_path / "live.html").read_text()
    assert '"variable_names":["a","b"]' in page.replace(" ", "")
    assert run.task.example_input == "FILE.csv"


def test_the_default_recipe_standardises_and_what_a_person_gives_stays(tmp_path):
    from gatework.training.fitting import prepare

    _, recipe = prepare(waves(), "classify", None, {**COLUMNS, "epochs": 7})
    assert (recipe.data.scale, recipe.training.epochs) == (True, 7)


def test_series_of_one_length_from_an_array_are_answered_too(run):
    assert len(run.predictor.answer(np.zeros((2, 5, 2)))) == 2


def test_one_series_is_a_table_of_its_rows(run):
    assert len(run.predictor.answer(waves(1).select(pl.all().exclude("y")))) == 1


def test_a_linear_classifier_of_all_steps_refuses_series_of_another_length():
    values = np.random.default_rng(0).normal(size=(2, 3, 2))
    linear = LinearClassifier("logistic regression", "", flat, Weights(np.ones((6, 1)), np.zeros(1)), 0.0)
    expected = linear.scores(SeriesInputs.of(values))
    np.testing.assert_array_equal(linear.scores(RaggedSeries.of(list(values))), expected)
    with pytest.raises(DataError, match="each series has 4 values, expected 6 as in training: logistic regression"):
        linear.scores(SeriesInputs.of(values[:, :2]))
    with pytest.raises(DataError, match="the series have 2 to 3 steps, expected one length, as in training"):
        linear.scores(RaggedSeries.of([values[0], values[1, :2]]))
