"""Several networks in one forecaster: each learns alone, and their mean is what it says."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from gatework import tasks
from gatework.reports import report
from gatework.tasks.forecast.metrics import LEVELS
from gatework.tasks.forecast.model import ForecastNetwork, Member, numbers_of
from gatework.tasks.forecast.task import ForecastTask
from gatework.training.fitting import prepare
from support.daily_tables import daily, small, trained

WAVE = 50 + 10 * np.sin(np.arange(90) / 2) + np.random.default_rng(0).normal(size=90)


def begun(networks: int):
    """The task, its network as training begins it, and a batch to learn from."""
    dataset, recipe = prepare(daily(WAVE), "forecast", small(networks=networks), {})
    task = tasks.get("forecast").fit(dataset, recipe.data)
    torch.manual_seed(0)
    return task, task.model(recipe.model), task.encode(dataset.train).batch(np.arange(32))


def test_each_network_begins_from_other_weights_and_has_the_gradient_that_it_has_alone() -> None:
    (task, three, batch), (_, one, _) = begun(3), begun(1)
    starts = [network.state_dict() for network in three.others]
    assert not torch.equal(three.encode.weight, three.others[0].encode.weight)
    assert not torch.equal(three.others[0].encode.weight, three.others[1].encode.weight)
    assert torch.equal(torch.rand(1), (begun(1), torch.rand(1))[1])  # dropout goes on with the same numbers
    assert torch.equal(begun(2)[1].others[0].encode.weight, starts[0]["encode.weight"])
    task.loss(three, batch).mean().backward()
    task.loss(one, batch).mean().backward()
    weights = dict(three.named_parameters())
    for name, weight in one.named_parameters():
        assert torch.equal(weight, weights[name])
        assert torch.equal(weight.grad, weights[name].grad)


SETTINGS = [
    {"distribution": "free"},
    {"distribution": "auto", "clip": 0.05},
    {"distribution": "student", "weight_decay": 0.1, "averaging": 0.9},
    {"distribution": "normal", "shards": 2, "zoneout": 0.1, "decoder": "recursive"},
    {"distribution": "free", "hidden": 132, "epochs": 2, "warmup": 0.3},
]


def beginning_from(begin: Any, start: dict[str, torch.Tensor]) -> Any:
    """What a training begins with, but for the weights."""

    def begin_from(task: ForecastTask, model: Any, *given: Any) -> None:
        begin(task, model, *given)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                weight.copy_(start[name])

    return begin_from


def drawing_as(place: int) -> Any:
    """What one network says, in training with the random numbers of a later one of several."""

    def each(network: ForecastNetwork, **windows: Any) -> list[torch.Tensor]:
        if not network.training:
            return [Member.forward(network, **windows)]
        with numbers_of(place, windows["inputs"].device):
            said = Member.forward(network, **windows)
        with torch.no_grad():
            Member.forward(network, **windows)  # where the first one stands, which draws as much
        return [said]

    return each


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: ",".join(settings))
def test_each_network_learns_to_the_last_bit_as_it_does_alone(
    tmp_path: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dropout, a clip that is always at work and weights in tensors of both kinds among what could couple them."""
    counts = np.random.default_rng(1).poisson(3 + 2 * np.sin(np.arange(90) / 2))
    table = daily(counts if settings["distribution"] == "auto" else WAVE)
    same = {"epochs": 4, "dropout": 0.2, "clip": 0.5, "patience": 0, "best_weights": False, "seed": 3} | settings
    begin, starts = ForecastTask.begin, list[dict[str, torch.Tensor]]()

    def begin_and_keep(task: ForecastTask, model: Any, *given: Any) -> None:
        begin(task, model, *given)
        starts.extend(copy.deepcopy(dict(other.named_parameters())) for other in model.others)

    monkeypatch.setattr(ForecastTask, "begin", begin_and_keep)
    together = trained(table, tmp_path / "together", networks=3, **same)
    alone = [trained(table, tmp_path / "first", **same)]
    for place, start in enumerate(list(starts), start=1):
        with monkeypatch.context() as patched:
            patched.setattr(ForecastTask, "begin", beginning_from(begin, start))
            patched.setattr(ForecastNetwork, "each", drawing_as(place))
            alone.append(trained(table, tmp_path / f"{place}", **same))
    members = [together.network, *together.network.others]  # type: ignore[attr-defined]
    for member, run in zip(members, alone, strict=True):
        weights = dict(member.named_parameters())
        for name, weight in run.network.named_parameters():
            assert torch.equal(weight, weights[name]), name
    told = [pl.read_ndjson(run.path / "metrics.jsonl") for run in (together, *alone)]
    for name in ("train_loss", "gradient_norm"):
        mean = np.mean([epochs[name] for epochs in told[1:]], axis=0)
        np.testing.assert_allclose(told[0][name], mean, rtol=1e-6)


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
