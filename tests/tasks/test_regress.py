import json

import numpy as np
import polars as pl
import pytest
import torch

from gatework.data import load
from gatework.data.dataset import Dataset, Provenance, Split
from gatework.data.inputs import SeriesInputs
from gatework.data.sets.waves import NOISE_FLOOR
from gatework.data.text import Texts
from gatework.errors import DataError, UsageError
from gatework.options import DataOptions
from gatework.recipe import find_recipe
from gatework.tasks import get
from gatework.tasks.regress.metrics import answers_of
from gatework.tasks.regress.task import RegressTask

PROVENANCE = Provenance("here", "yours", "0")


def ramps(offset: float) -> Dataset:
    """Straight lines, whose next value is twice the last one less the one before."""
    random = np.random.default_rng(0)
    start, slope = random.normal(size=(2, 60, 1))
    values = (offset + start + slope * np.arange(6)).astype(np.float32)[..., np.newaxis]
    part = Split(SeriesInputs.of(values[:, :-1]), values[:, -1])
    return Dataset("ramps", "series", part, part, part, PROVENANCE)


def test_metrics_by_hand():
    task = get("regress").fit(ramps(0), DataOptions())
    metrics = task.metrics(answers_of(np.array([[1.0], [5.0]]), np.array([[2.0], [2.0]])))
    assert metrics == {"mse": 5.0, "mae": 2.0, "rmse": 5.0**0.5}


def test_metrics_of_outputs_that_are_no_numbers_are_no_numbers():
    task = get("regress").fit(ramps(0), DataOptions())
    assert np.isnan(list(task.metrics(answers_of(np.array([[np.nan]]), np.array([[1.0]]))).values())).all()


@pytest.mark.parametrize("scale", [False, True])
def test_baselines_are_in_the_unit_of_the_network_and_metrics_in_that_of_the_targets(scale):
    dataset = ramps(100)
    task = get("regress").fit(dataset, DataOptions(scale=scale))
    baselines = {b.name: b for b in task.baselines(dataset)}
    assert list(baselines) == ["mean", "last value", "linear autoregression"]
    mse = {name: task.metrics(b.answers)["mse"] for name, b in baselines.items()}
    assert mse["mean"] == pytest.approx(dataset.train.targets.var(dtype=np.float64), rel=1e-4)
    assert mse["last value"] == pytest.approx(
        ((dataset.test.inputs[:, -1] - dataset.test.targets).astype(np.float64) ** 2).mean(), rel=1e-3
    )
    # Exact but for the rounding of float32 values near 100, up to 4e-6 each, and the ridge penalty.
    assert mse["linear autoregression"] < 1e-6


def test_the_network_sees_standardised_targets_and_predictions_undo_it():
    dataset = ramps(100)
    task = get("regress").fit(dataset, DataOptions(scale=True))
    batch = task.encode(dataset.train).batch(np.arange(60))
    assert abs(batch.targets.mean().item()) < 1e-5
    predicted = task.rows(batch.targets.numpy(), dataset.train)["value"].to_list()
    # One standardised float32 of size below 4 is exact to 2.4e-7 deviations.
    deviation = dataset.train.targets.std()
    np.testing.assert_allclose(predicted, dataset.train.targets[:, 0], atol=1e-5 * deviation)
    assert task.loss_of(batch.targets + 1, batch).mean().item() == pytest.approx(1, rel=1e-5)


def test_several_values_are_predicted_as_a_list():
    values = np.arange(24, dtype=np.float32).reshape(4, 3, 2)
    part = Split(SeriesInputs.of(values), values[:, -1])
    dataset = Dataset("x", "series", part, part, part, PROVENANCE)
    task = get("regress").fit(dataset, DataOptions())
    assert task.rows(np.array([[1.0, 2.0]]), part).to_dicts() == [{"value": [1.0, 2.0]}]
    assert [b.answers["value"].to_numpy().shape for b in task.baselines(dataset)] == [(4, 2)] * 3


def test_the_last_value_is_no_baseline_where_it_is_another_variable():
    values = np.random.default_rng(0).random((20, 3, 2), dtype=np.float32)
    part = Split(SeriesInputs.of(values), values[:, -1, :1])
    dataset = Dataset("x", "series", part, part, part, PROVENANCE)
    names = [b.name for b in get("regress").fit(dataset, DataOptions()).baselines(dataset)]
    assert names == ["mean", "linear autoregression"]


def test_texts_have_values_too():
    part = Split(Texts.of(["good film", "bad film"] * 10), np.array([[5.0], [1.0]] * 10, dtype=np.float32))
    dataset = Dataset("x", "text", part, part, part, PROVENANCE)
    task = get("regress").fit(dataset, DataOptions())
    mse = {b.name: task.metrics(b.answers)["mse"] for b in task.baselines(dataset)}
    assert mse["mean"] == pytest.approx(4)
    assert mse["TF-IDF + ridge regression"] < 0.1


def test_baselines_of_waves_stand_where_the_equation_puts_them():
    dataset = load("waves", DataOptions())
    task = get("regress").fit(dataset, DataOptions())
    mse = {b.name: task.metrics(b.answers)["mse"] for b in task.baselines(dataset)}
    assert NOISE_FLOOR < mse["linear autoregression"] < mse["last value"] < mse["mean"]
    assert 0.0055 < mse["last value"] < 0.0075


def test_copying_the_last_value_solves_the_original_waves_exactly():
    dataset = load("waves-original", DataOptions())
    task = get("regress").fit(dataset, DataOptions())
    mse = {b.name: task.metrics(b.answers)["mse"] for b in task.baselines(dataset)}
    assert mse["last value"] == 0


def test_a_task_comes_back_from_json():
    dataset = ramps(3)
    task = get("regress").fit(dataset, DataOptions(scale=True))
    again = RegressTask.from_state(json.loads(json.dumps(task.state())))
    assert again == task
    batches = [t.encode(dataset.test).batch(np.arange(4)) for t in (task, again)]
    assert torch.equal(batches[0].inputs, batches[1].inputs)


def test_classes_are_sent_to_the_other_task():
    with pytest.raises(DataError, match='train it with the task "classify"'):
        get("regress").fit(load("sentence-polarity", DataOptions()), DataOptions())


def test_one_value_to_predict_everywhere_is_nothing_to_learn():
    frame = pl.DataFrame({"text": [f"word {n}" for n in range(40)], "price": [5.0] * 40})
    with pytest.raises(DataError, match="the same value to predict; there is nothing to learn"):
        get("regress").load(frame, find_recipe("regress").changed(text="text", target="price"))


def test_an_unknown_task_is_told_with_the_nearest_name():
    with pytest.raises(UsageError, match=r'there is no task "clasify": did you mean "classify"\?'):
        get("clasify")
