"""Forecasts of counts: the law and its quantiles against scipy, what it learns, and the choice by validation."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from scipy import stats

from gatework.errors import UsageError
from gatework.options import DataOptions, ModelOptions
from gatework.tasks.forecast.conformal import Calibration
from gatework.tasks.forecast.counts import CountLaw, WindowCounts, negative_log_likelihood, quantiles
from gatework.tasks.forecast.data import forecast_dataset
from gatework.tasks.forecast.distributions import choose_distribution
from gatework.tasks.forecast.measures import Logarithm
from gatework.tasks.forecast.metrics import LEVELS, arrays_of, held_remark, scaled_quantile_loss
from gatework.tasks.forecast.task import ForecastTask
from support.daily_tables import daily, small, trained

COUNTS = "negative-binomial"
NAMES = ["forecast" if level == 0.5 else f"q{level:g}" for level in LEVELS]


def laws(count: int) -> np.ndarray:
    """Means from 0.05 to some thousands, from Poisson laws to heavy tails, with few or many extra zeros."""
    random = np.random.default_rng(0)
    mean, dispersion = np.exp(random.uniform(-3, 8, count)), np.exp(random.uniform(-8, 2, count))
    return np.stack([mean, dispersion, random.choice([0.0, 0.02, 0.6], count)], axis=-1)


def law_of(mean: float, dispersion: float) -> Any:
    return stats.nbinom(1 / dispersion, 1 / (1 + mean * dispersion))


def test_the_likelihood_is_that_of_scipy_and_its_gradient_that_of_differences() -> None:
    given = laws(200)
    y = np.array([law_of(m, d).rvs(random_state=k) * (k % 4 > 0) for k, (m, d, _) in enumerate(given)], dtype=float)
    found = negative_log_likelihood(torch.from_numpy(given), torch.from_numpy(y)).numpy()
    for (mean, dispersion, zeros), count, loss in zip(given, y, found, strict=True):
        share = (1 - zeros) * law_of(mean, dispersion).pmf(count) + zeros * (count == 0)
        # scipy's own terms cancel to a relative error of some 1e-16 lgamma(r), with r up to 3,000.
        assert loss == pytest.approx(-np.log(share), rel=1e-9, abs=1e-9)
    raw = torch.from_numpy(np.random.default_rng(1).normal(size=(2, 3, 3))).requires_grad_()
    window = WindowCounts(torch.tensor([0.5, 9.0]).double(), torch.rand(2, 3).double(), torch.zeros(2, 3).double())
    head, counts = CountLaw(4, 0.5).double(), torch.tensor([[0.0, 1, 4], [12, 0, 7]])
    assert torch.autograd.gradcheck(lambda x: negative_log_likelihood(head(x, window), counts), raw)


def test_quantiles_are_those_of_scipy_whole_and_in_order() -> None:
    given = laws(300)
    found = quantiles(given)
    assert (found == np.round(found)).all()
    assert (found >= 0).all()
    assert (np.diff(found, axis=-1) >= 0).all()
    for (mean, dispersion, zeros), row in zip(given, found, strict=True):
        law = law_of(mean, dispersion)
        below, up_to = ((1 - zeros) * law.cdf(row - step) + zeros * (row >= step) for step in (1, 0))
        # The least count whose share of counts up to it reaches the level.
        assert (up_to >= np.array(LEVELS) - 1e-12).all()
        assert (below < np.array(LEVELS) + 1e-12).all()
    assert (quantiles(np.array([[1e-5, 0.1, 0.0]])) == 0).all()


def test_a_window_is_known_by_its_own_values_on_either_scale() -> None:
    values, seen = torch.tensor([[0.0, 3.0, 0.0, 9.0]]), torch.tensor([[1.0, 1.0, 0.0, 1.0]])
    log = Logarithm(1.0, 0.0)
    level, scale = torch.tensor([2.0]), torch.tensor([0.5])
    for given, of in ((values, None), ((values + 1).log(), log)):
        inputs = torch.stack([(given - level) / scale, seen], dim=-1)
        window = WindowCounts.of(inputs, level, scale, (given - level) / scale, of)
        assert float(window.mean) == pytest.approx(12.5 / 3, rel=1e-5)
        torch.testing.assert_close(window.simple, values, atol=1e-5, rtol=1e-5)


def intermittent(seed: int) -> pl.DataFrame:
    """Eight items that do not sell on 60 of 100 days, and by a geometric law on the others."""
    random = np.random.default_rng(seed)
    sold = [(random.random(120) < 0.4) * (1 + random.negative_binomial(1, 0.2, 120)) for _ in range(8)]
    return pl.concat([daily(values, s=[f"item {k}"] * 120) for k, values in enumerate(sold)])


def test_the_law_is_chosen_by_validation_and_comes_nearer_to_the_true_one_on_rare_demand(tmp_path: Path) -> None:
    options: dict[str, Any] = {"series": "s", "window": 28, "epochs": 5, "skip": "mean", "learning_rate": 5e-3}
    free, auto = (trained(intermittent(0), tmp_path / d, distribution=d, **options) for d in ("free", "auto"))
    network: Any = auto.network
    assert network.answering == (COUNTS,)
    assert network.losses[0] < network.losses[1]
    tables = [arrays_of(pl.read_parquet(run.path / "answers.parquet")) for run in (free, auto)]
    true = np.concatenate([[0], 1 + stats.nbinom(1, 0.2).ppf((np.array(LEVELS[1:]) - 0.6).clip(0) / 0.4)])
    best = scaled_quantile_loss(np.broadcast_to(true.clip(0), tables[0][0].shape), tables[0][1])
    over, over_by_law = (scaled_quantile_loss(*table) - best for table in tables)
    # What none can avoid is that of the true quantiles. Over it the law loses some 0.6 of what free quantiles do, which
    # have seven numbers to learn for each step where it has three.
    assert 0 < over_by_law < 0.75 * over
    rows = auto.predict().select(NAMES).to_numpy()
    assert (rows == np.round(rows)).all()
    assert (rows >= 0).all()
    assert (np.diff(rows, axis=1) >= 0).all()
    shown = pl.read_parquet(auto.path / "distribution.parquet")
    assert shown["distribution"].to_list() == [COUNTS, "free"]
    assert shown["answers"].to_list() == [True, False]


def test_free_quantiles_answer_where_they_lose_less_and_still_do_once_loaded() -> None:
    dataset = forecast_dataset(daily(np.random.default_rng(3).poisson(3, 200)), small())
    task = ForecastTask.fit(dataset, DataOptions())
    networks: list[Any] = [task.model(ModelOptions(hidden=4)) for _ in range(2)]
    network, other = networks
    batch = task.encode(dataset.test).batch(np.arange(3))
    assert network(**batch.tensors()).shape == (3, 4, len(LEVELS) + 3)
    actuals = dataset.test.targets

    def said() -> np.ndarray:
        right = np.repeat(actuals["value"][..., None], len(LEVELS), axis=-1)
        return right + (network.answering != ("free",))

    choose_distribution(network, said, actuals)
    assert network.losses[1] < network.losses[0]
    other.load_state_dict(network.state_dict())
    assert network.answering == other.answering == ("free",)
    assert other(**batch.tensors()).shape == (3, 4, len(LEVELS))


def test_auto_is_free_where_there_is_nothing_to_choose_and_the_law_needs_counts() -> None:
    random = np.random.default_rng(4)
    assert forecast_dataset(daily(random.poisson(3, 200)), small()).plan.distribution == "auto"
    assert forecast_dataset(daily(random.poisson(900, 200)), small()).plan.distribution == "free"
    assert forecast_dataset(daily(random.normal(size=200)), small()).plan.distribution == "free"
    with pytest.raises(UsageError, match=r"no counts .* so that there is no --distribution negative-binomial"):
        forecast_dataset(daily(random.normal(size=200)), small(distribution=COUNTS))


def test_an_interval_without_width_is_measured_by_half_a_count() -> None:
    none, y = np.zeros((50, 2, len(LEVELS))), np.tile([0.0, 1.0], (50, 1))
    none[::2, :, -1] = 2.0
    times, keys = np.arange(50), np.zeros(50, dtype=np.int64)
    factors = Calibration.unknown(1, 2, 0.5).held_back(none, y, times, keys).stretch(keys[:1])
    # A value 1 from an interval of no width lies two half counts out, not infinitely many widths.
    assert factors.max() < 2.5


def test_the_mean_with_simple_methods_is_one_of_whole_numbers_too(tmp_path: Path) -> None:
    """An interval from 0.1 on would miss every day without a sale, a third of them here."""
    counts = np.random.default_rng(0).poisson(1.1, 300)
    run = trained(daily(counts), tmp_path / "run", epochs=2, blend=True, distribution=COUNTS)
    assert run.summary["answer"]["name"] != "network"
    answers, _ = arrays_of(pl.read_parquet(run.path / "answers.parquet"))
    assert (answers == np.round(answers)).all()
    assert (np.diff(answers, axis=-1) >= 0).all()
    assert (answers[..., 0] == 0).mean() > 0.9
    assert run.summary["metrics"]["test_coverage_95"] > 0.9
    rows = run.predict()
    assert (rows.select(NAMES).to_numpy() % 1 == 0).all()


def test_small_counts_that_are_held_more_often_than_promised_are_no_fault() -> None:
    held = {"coverage_80": 0.92, "coverage_95": 0.99}
    assert "more than 5 points off for the 80 % interval" in held_remark(held, 2000, 100)
    said = held_remark(held, 2000, 100, are_small_counts=True)
    assert "points off" not in said
    assert "more than promised is right of small counts" in said
    few = held_remark({"coverage_80": 0.72, "coverage_95": 0.97}, 2000, 100, are_small_counts=True)
    assert "more than 5 points off for the 80 % interval" in few
    assert held_remark({"coverage_80": 0.8, "coverage_95": 0.94}, 2000, 100, are_small_counts=True) == held_remark(
        {"coverage_80": 0.8, "coverage_95": 0.94}, 2000, 100
    )
