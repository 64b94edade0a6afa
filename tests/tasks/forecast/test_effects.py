"""What is known ahead adds to a series, and simple methods that forecast the rest."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from gatework import tasks
from gatework.data.panel import Panel, read_panel
from gatework.data.tables import read_table
from gatework.options import TimeOptions
from gatework.tasks.forecast.baselines import fitted
from gatework.tasks.forecast.effects import Adjusted, Effects
from gatework.tasks.forecast.methods import Naive, PointMethod, Seasonal
from gatework.tasks.forecast.options import ForecastOptions
from gatework.tasks.forecast.window_store import Features, OriginBatch, OriginExamples, WindowStore
from gatework.tasks.forecast.windows import Origins, OriginSplit, on_scale
from gatework.training.run import Run
from support.daily_tables import daily, small, trained

WEEK = np.array([0.0, 8.0, 3.0, -2.0, -6.0, 1.0, 5.0])
CLOSED = -40.0


def shops(steps: int, closed: np.ndarray, sizes: tuple[float, ...] = (1.0, 5.0), seed: int = 0) -> pl.DataFrame:
    """Series of different sizes with a week, noise and days on which all are closed."""
    rng = np.random.default_rng(seed)
    parts = []
    for number, size in enumerate(sizes):
        noise = rng.normal(size=steps)
        for step in range(1, steps):
            noise[step] += 0.5 * noise[step - 1]
        values = size * (60 + np.resize(WEEK, steps) + noise + CLOSED * closed)
        parts.append(daily(values, s=[f"s{number}"] * steps, closed=closed.astype(float)))
    return pl.concat(parts)


def panel(frame: pl.DataFrame, **options: str) -> Panel:
    return read_panel(read_table(frame), TimeOptions(time="day", **options), ["y"])


def origins(table: Panel, steps: list[int], horizon: int) -> Origins:
    index = np.array([(n, 0, step) for n in range(len(table.series)) for step in steps])
    return Origins(table, index, horizon, 7, np.full((len(table.series), 1), np.nan))


@pytest.fixture
def closed() -> np.ndarray:
    days = np.zeros(200, dtype=bool)
    days[[60, 95, 131]] = True
    return days


def test_the_effect_of_a_day_is_learnt_in_the_size_of_each_series(closed: np.ndarray) -> None:
    table = panel(shops(200, closed), series="s", known="closed")
    effects = Effects.fit(table, np.array([180, 180]), 7, "")
    assert effects is not None
    added = effects.ahead(origins(table, [131], 2))
    # Of noise of spread 1.15, three days in each of two series tell the effect to 1.15 * sqrt(2 / 6), at three times
    # of which a chance is 1 in 400; a series five times as large is moved five times as far.
    size = np.array([1.0, 5.0])
    np.testing.assert_allclose((added[:, 0] - added[:, 1]) / size, CLOSED, atol=3 * 1.15 * np.sqrt(2 / 6))
    # What is left of the values does not know of the days.
    rest = effects.without(origins(table, [131], 2)).table
    for series, scale in zip(rest.series, size, strict=True):
        week = np.resize(WEEK, 200)
        assert np.abs(series.values[:, 0] / scale - series.values[:, 0].mean() / scale - week + week.mean()).max() < 7


def test_effects_are_learnt_once_for_a_table_and_a_scale(closed: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    fits, fit = [], Effects.fit

    def counted(table: Panel, *rest: Any) -> Effects | None:
        fits.append(table)
        return fit(table, *rest)

    monkeypatch.setattr(Effects, "fit", counted)
    forecast = tasks.get("forecast")
    recipe = small(series="s", known="closed")
    dataset = forecast.load(shops(200, closed), recipe)
    forecast.fit(dataset, recipe.data)
    fitted(dataset, "validation")
    # The values as they are, and as logarithms.
    assert len(fits) == 2


def test_nothing_is_learnt_of_a_column_that_moves_nothing() -> None:
    rng = np.random.default_rng(1)
    kept = []
    for seed in range(20):
        frame = shops(150, np.zeros(150, dtype=bool), sizes=(1.0,), seed=seed).with_columns(noise=rng.normal(size=150))
        kept.append(Effects.fit(panel(frame, known="noise"), np.array([150]), 7, "") is not None)
    # The criterion asks of chance a chi-squared value of log(142), which 1 in 38 exceeds: of 20 seldom more than three.
    assert sum(kept) <= 3
    assert Effects.fit(panel(shops(150, np.zeros(150, dtype=bool)), series="s"), np.array([150, 150]), 7, "") is None


def test_a_column_that_never_changes_has_too_few_rows_or_nothing_to_explain_says_nothing() -> None:
    never = panel(shops(150, np.zeros(150, dtype=bool)), series="s", known="closed")
    assert Effects.fit(never, np.array([150, 150]), 7, "") is None
    rhythm = daily(np.resize(WEEK, 150), closed=(np.arange(150) == 60).astype(float))
    with np.errstate(all="raise"):
        assert Effects.fit(panel(rhythm, known="closed"), np.array([150]), 7, "") is None
    short = panel(shops(12, np.arange(12) == 5, sizes=(1.0,)), series="s", known="closed")
    assert Effects.fit(short, np.array([12]), 7, "") is None


def test_an_adjusted_method_forecasts_the_rest_and_adds_what_is_known(closed: np.ndarray) -> None:
    closed[[147, 156]] = True
    table = panel(shops(200, closed), series="s", known="closed")
    effects = Effects.fit(table, np.array([140, 140]), 7, "")
    assert effects is not None
    asked = origins(table, [149, 152], 7)
    least = -np.inf
    plain = PointMethod.fit(Seasonal(7), asked, least)
    rest = PointMethod.fit(Seasonal(7), effects.without(asked), least)
    adjusted = Adjusted(rest, effects, 0.0)
    kept = Adjusted.from_state(adjusted.state(), PointMethod.from_state(rest.state(), table), effects)
    quantiles = adjusted.quantiles(asked)
    np.testing.assert_array_equal(kept.quantiles(asked), quantiles)
    # The closed day before the origins is not repeated, and the one ahead is foreseen: the plain method fails at both.
    actual = asked.actuals()["value"]
    size = np.array([1.0, 1.0, 5.0, 5.0])[:, None]
    assert (np.abs(quantiles[..., 3] - actual) / size).max() < 10
    assert (np.abs(plain.quantiles(asked)[..., 3] - actual) / size).max() > 25
    naive = Adjusted(PointMethod.fit(Naive(), effects.without(asked), least), effects, 0.0)
    assert (naive.quantiles(asked) >= 0).all()


@pytest.mark.parametrize("has_log", [False, True])
def test_the_network_reads_the_rest_and_adds_to_what_is_known(closed: np.ndarray, *, has_log: bool) -> None:
    closed[[147, 156]] = True
    table = panel(shops(200, closed), series="s", known="closed")
    asked, ends = origins(table, [100, 149, 152], 7), np.array([140, 140])
    plan = ForecastOptions(window=28, horizon=7, segment=7, season=7, skip="linear", log_scale=has_log)
    features = Features.fit(table, ends, plan, asked)
    effects = Effects.on_scale(table, ends, plan, features.log)
    assert effects is not None
    batch = batch_at(asked, features, plan)
    # The rest as a table of its own, of which nothing is known.
    scaled = on_scale(asked, features.log)
    other = batch_at(effects.without(scaled), dataclasses.replace(features, log=None, effects=None), plan)
    added = effects.ahead(scaled)
    # Counted from the mean of the column or from 0, what it adds differs by a constant, which comes back.
    moved = batch.level - other.level
    np.testing.assert_allclose(batch.inputs, other.inputs, atol=1e-4)
    np.testing.assert_allclose(batch.targets - other.targets, added, rtol=1e-4, atol=1e-4)
    ahead = (batch.skip - other.skip) * batch.scale[:, None] + moved[:, None]
    np.testing.assert_allclose(ahead, added, rtol=1e-4, atol=1e-3)
    # The closed day ahead lies below the day before by what it costs.
    np.testing.assert_allclose(np.sign(np.diff(ahead, axis=1)[[2, 5], 3]), -1)


def batch_at(asked: Origins, features: Features, plan: ForecastOptions) -> OriginBatch:
    examples = OriginExamples(WindowStore(asked.table, features, plan, asked.table), OriginSplit(asked))
    return examples.batch(np.arange(len(asked)))


@pytest.mark.usefixtures("without_arima")
def test_a_run_answers_a_closed_day_as_its_table_and_its_kept_past_do(
    tmp_path: Path, closed: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = Effects._rest
    closed[[120, 165, 190]] = True
    frame = shops(200, closed)
    options = {"blend": True, "epochs": 1, "horizon": 7, "test_steps": 28, "validation_steps": 28, "hidden": 8}
    run = trained(frame, tmp_path / "run", series="s", known="closed", **options)
    assert run.summary["answer"]["name"] != "network"
    # Measured: 0.26.
    assert run.summary["metrics"]["test_mase"] < 0.4
    # 0.35 and, where it must learn the days by itself, 0.63.
    assert run.summary["network"]["test_mase"] < 0.5
    future = pl.concat(
        daily([np.nan] * 7, "2020-07-19", s=[name] * 7, closed=np.eye(7)[2]).with_columns(y=None)
        for name in ("s0", "s1")
    )
    opened, made = Run.open(run.path), []
    monkeypatch.setattr(Effects, "_rest", lambda *given: made.append(given[1]) or rest(*given))
    told = opened.predict(future)
    # Whoever answers, what is left of the values is computed once.
    assert len(made) == 1
    whole = opened.predict(pl.concat([frame, future], how="vertical_relaxed"))
    # The whole table is not kept: the past of the methods comes from the run.
    np.testing.assert_allclose(told["forecast"], whole["forecast"], rtol=1e-6)
    each = told["forecast"].to_numpy().reshape(2, 7) / np.array([[1.0], [5.0]])
    expected = 60 + np.resize(WEEK, 207)[200:] + CLOSED * np.eye(7)[2]
    assert np.abs(each - expected).max() < 12
