"""Several networks in one forecaster: each learns alone, and their mean is what it says."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from gatework import tasks
from gatework.reports import report
from gatework.tasks.forecast.metrics import LEVELS
from gatework.training.fitting import prepare
from support.daily_tables import daily, small, trained

WAVE = 50 + 10 * np.sin(np.arange(90) / 2) + np.random.default_rng(0).normal(size=90)


def begun(networks: int):
    """The task, its network as training begins it, and a batch to learn from."""
    dataset, recipe = prepare(daily(WAVE), "forecast", small(networks=networks), {})
    task = tasks.get("forecast").fit(dataset, recipe.data)
    torch.manual_seed(0)
    return task, task.model(recipe.model), task.encode(dataset.train).batch(np.arange(32))


def test_each_network_begins_from_other_weights_and_learns_by_its_own_loss() -> None:
    (task, two, batch), (_, one, _) = begun(2), begun(1)
    first, second = two.alone
    assert not torch.equal(first.network.encode.weight, second.encode.weight)
    task.loss(two, batch).mean().backward()
    task.loss(one, batch).mean().backward()
    weights = dict(two.named_parameters())
    for name, weight in one.named_parameters():
        assert torch.equal(weight, weights[name])
        # A half of the mean of two, to the last bit: a factor of two moves no digit.
        assert torch.equal(weight.grad, 2 * weights[name].grad)


@pytest.mark.parametrize("distribution", ["free", "student"])
def test_the_forecast_is_the_mean_of_what_each_network_says(tmp_path: Path, distribution: str) -> None:
    run = trained(daily(WAVE), tmp_path / "run", epochs=2, networks=3, distribution=distribution)
    task, network = run.task, run.network
    examples = task.encode(task.read(None, run.recipe))
    said = np.stack([task.outputs(each, examples)[0] for each in network.alone])  # type: ignore[attr-defined]
    answer = task.outputs(network, examples)[0]  # type: ignore[attr-defined]
    np.testing.assert_allclose(answer, said.mean(axis=0), rtol=1e-6)
    assert (np.diff(answer, axis=-1) >= 0).all()
    assert answer.shape[-1] == len(LEVELS)
    assert np.ptp(said, axis=0).min() > 0
    figures = pl.read_parquet(run.path / "networks.parquet")
    assert figures["network"].to_list() == ["network 1", "network 2", "network 3", "their mean"]
    assert figures["validation_mase"][-1] == pytest.approx(run.summary["validation"]["validation_mase"])
    assert figures["test_mase"][-1] == pytest.approx(run.summary["metrics"]["test_mase"])
    assert figures["test_mase"].n_unique() == 4
    assert '<th scope="row">their mean</th>' in report(run.path).read_text(encoding="utf-8")
