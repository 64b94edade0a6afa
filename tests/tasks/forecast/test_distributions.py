"""Forecasts that are distributions: their quantiles, their losses against scipy, and what they learn."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from gatework.errors import UsageError
from gatework.tasks.forecast.distributions import quantiles, score
from gatework.tasks.forecast.metrics import LEVELS
from support.daily_tables import daily, trained

LAWS: list[tuple[Any, Any]] = [("normal", stats.norm), ("student", stats.t(4))]


@pytest.mark.parametrize(("name", "law"), LAWS)
def test_the_quantiles_are_those_of_the_distribution(name: Any, law: Any) -> None:
    raw = torch.tensor([[3.0, 1.0]], dtype=torch.float64)
    found = quantiles(raw, name)[0]
    np.testing.assert_allclose(found, 3 + np.log(2) * law.ppf(LEVELS), rtol=1e-12)


def test_the_score_of_a_normal_forecast_is_its_crps() -> None:
    raw = torch.tensor([[1.5, 0.7]], dtype=torch.float64)
    y, scale = 2.2, float(torch.nn.functional.softplus(torch.tensor(-0.3, dtype=torch.float64)))

    def square(x: float) -> float:
        return float((stats.norm.cdf(x, 1.5, scale) - (x >= y)) ** 2)

    parts = [integrate.quad(square, low, high, epsabs=1e-10)[0] for low, high in ((-10, y), (y, 15))]
    found = score(quantiles(raw, "normal"), torch.tensor([y], dtype=torch.float64), "normal")
    assert float(found) == pytest.approx(sum(parts), abs=1e-8)


def test_the_score_of_a_student_forecast_is_its_log_likelihood_but_for_a_constant() -> None:
    raw = torch.tensor([[1.5, 0.7], [0.0, -1.0]], dtype=torch.float64)
    y = torch.tensor([2.2, -3.0], dtype=torch.float64)
    scale = torch.nn.functional.softplus(raw[:, 1] - 1).numpy()
    expected = -stats.t(4, loc=raw[:, 0].numpy(), scale=scale).logpdf(y.numpy())
    found = score(quantiles(raw, "student"), y, "student").numpy()
    np.testing.assert_allclose(np.diff(found), np.diff(expected), rtol=1e-9)


@pytest.mark.parametrize("decoder", ["direct", "recursive"])
@pytest.mark.parametrize("name", ["normal", "student"])
def test_a_distribution_learns_the_spread_of_noise(tmp_path: Path, name: str, decoder: str) -> None:
    values = 20 + 3 * np.random.default_rng(0).normal(size=600)
    options: dict[str, Any] = {"skip": "mean", "window": 24, "known": "k", "epochs": 8, "decoder": decoder}
    options |= {"test_steps": 100, "validation_steps": 100}
    frame = daily(values, k=np.zeros(600))
    run = trained(frame, tmp_path / "run", distribution=name, **options)
    # Three standard errors of 100 independent values.
    assert run.summary["metrics"]["test_coverage_80"] == pytest.approx(0.8, abs=0.12)
    ahead = daily(np.zeros(4), start="2021-08-23", k=np.zeros(4)).drop("y")
    for row in run.predict(ahead).to_dicts():
        # The quartiles of the noise are 4.05 apart; the window's own spread is known to 15 %.
        assert row["q0.75"] - row["q0.25"] == pytest.approx(4.05, rel=0.35)


def test_an_unknown_distribution_is_refused() -> None:
    from support.daily_tables import small

    with pytest.raises(UsageError, match='"cauchy", expected one of auto, free, normal, student, negative-binomial'):
        small(distribution="cauchy")
