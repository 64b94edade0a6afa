"""What series are measured by: spreads, logarithms, a floor of 0; and how a table is divided, and its season found."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gatework.errors import UsageError
from gatework.tasks.forecast.data import ForecastDataset, forecast_dataset
from gatework.tasks.forecast.linear import Linear
from gatework.tasks.forecast.measures import Logarithm, is_non_negative, spreads
from gatework.tasks.forecast.options import ForecastOptions
from gatework.tasks.forecast.window_store import measure
from support.daily_tables import daily, small, trained


def divided(frame: pl.DataFrame, **changes: object) -> ForecastDataset:
    return forecast_dataset(frame, small(**{"window": 0, "horizon": 0, **changes}))


def test_parts_hold_a_tenth_of_the_rows_and_ten_forecasts_where_there_is_room() -> None:
    noise = np.random.default_rng(0).normal(50, 1, 3000)
    plan = divided(daily(noise[:300]), horizon=1).plan
    assert (plan.test_steps, plan.validation_steps) == (30, 30)
    plan = divided(daily(noise), horizon=40).plan
    assert (plan.test_steps, plan.validation_steps) == (400, 400)
    short = divided(daily(noise[:100]), horizon=7)
    assert (short.plan.test_steps, short.plan.validation_steps) == (20, 20)
    told = next(note for note in short.provenance.notes if "for testing" in note)
    assert told.startswith("The last 20 steps are for testing, the 20 before them for validation: each 2 times the")
    assert "cannot tell good methods apart, nor whether intervals hold" in told


def test_a_slowly_changing_series_has_its_day_for_a_season_and_not_two_of_its_steps() -> None:
    hours = np.arange(48 * 40) / 2
    random = np.random.default_rng(1)
    smooth = 10 * np.sin(2 * np.pi * hours / 24) + np.convolve(random.normal(size=len(hours)), np.ones(9) / 3, "same")
    moments = np.datetime64("2024-01-01", "ms") + np.arange(len(hours)) * np.timedelta64(30 * 60_000, "ms")
    frame = daily(smooth).with_columns(pl.Series("day", moments))
    assert divided(frame).plan.season == 48
    walk = daily(random.normal(size=600).cumsum())
    assert divided(walk).plan.season == 1
    week = np.tile([5.0, 1, 1, 1, 1, 1, 9], 60) + random.normal(size=420)
    assert divided(daily(week)).plan.season == 7


def test_a_window_holds_the_week_where_an_hourly_table_has_one_beside_its_day() -> None:
    hours = np.arange(24 * 7 * 8)
    weekdays = np.array([0.0, 3.0, 1.0, 4.0, 1.0, 5.0, 9.0])[hours // 24 % 7]
    values = weekdays * (2 + np.sin(2 * np.pi * hours / 24)) + np.random.default_rng(3).normal(size=len(hours)) / 5
    moments = np.datetime64("2024-01-01", "ms") + hours * np.timedelta64(3_600_000, "ms")
    plan = divided(daily(values).with_columns(pl.Series("day", moments)), season=24, horizon=24).plan
    assert plan.season == 24
    assert plan.window >= 168


def test_a_season_that_never_fails_is_measured_by_one_step() -> None:
    sine = 100 + 10 * np.sin(2 * np.pi * np.arange(150) / 7)
    scales = [divided(daily(values), horizon=5).test.inputs.scale for values in (sine, sine.round(2))]
    np.testing.assert_allclose(scales[0], scales[1], rtol=1e-2)
    # A step of a sine of amplitude 10 and period 7 is some 10 (2 pi / 7) (2 / pi) = 5.7 long.
    assert 5 < scales[0][0, 0] < 6.5


def test_each_series_is_measured_by_its_own_spread() -> None:
    random = np.random.default_rng(2)
    parts = [daily(size * random.normal(size=200), s=[name] * 200) for name, size in (("a", 1.0), ("b", 1000.0))]
    dataset = divided(pl.concat(parts), series=("s",), horizon=4, window=8)
    spread = spreads(dataset.table, dataset.ends)
    np.testing.assert_allclose(spread[:, 0], [1, 1000], rtol=0.2)
    quiet = np.full((1, 8), 3.0)
    _, scale = measure(quiet, np.ones((1, 8), bool), dataset.plan, spread[:1, 0])
    assert scale[0] == pytest.approx(0.05 * spread[0, 0])


def test_a_panel_of_any_scales_is_forecast_as_its_series_of_one_scale_are(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    series = [np.sin(np.arange(160) * 0.9 + k) + 0.1 * random.normal(size=160) for k in range(3)]
    runs = []
    for number, sizes in enumerate([(1, 1, 1), (1, 1e3, 1e6)]):
        frames = [daily(size * y, s=[str(k)] * 160) for k, (size, y) in enumerate(zip(sizes, series, strict=True))]
        runs.append(trained(pl.concat(frames), tmp_path / str(number), series=("s",), skip="last", epochs=3))
    one, other = (run.summary["metrics"]["test_mase"] for run in runs)
    assert other == pytest.approx(one, rel=1e-3)


def test_a_regression_does_not_blow_up_a_window_that_hardly_varies() -> None:
    values = np.random.default_rng(4).normal(size=300)
    dataset = divided(daily(values), horizon=4, window=8)
    spread = spreads(dataset.table, dataset.ends)
    fitted = Linear.fit(dataset.train.inputs, 8, spread)
    # Only its last value moves: without a floor the window's own spread would be that of the dust.
    dust = np.full((1, 8), 3.0) + np.array([[0] * 7 + [1e-9]])
    assert np.abs(fitted(dust, spread[0]) - 3.0).max() < 0.05 * spread[0, 0]


@pytest.mark.parametrize("values", [np.arange(1.0, 50), np.array([0.0, 2, 3, 0, 5, 1] * 5), np.logspace(-8, 8, 50)])
def test_logarithms_come_back(values: np.ndarray) -> None:
    table = divided(daily(np.concatenate([values, values])), horizon=2, window=4).table
    log = Logarithm.fit(table, np.array([2 * len(values)]))
    assert log is not None
    np.testing.assert_allclose(log.back(log.to(values)), values, rtol=1e-9, atol=1e-9)
    assert np.isfinite(log.to(np.array([-1.0, 0.0]))).all()


def test_logarithms_are_taken_where_the_simple_forecast_is_better_by_them(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    steps = np.arange(304)
    true = np.exp(0.02 * steps + 0.3 * np.sin(steps * 2 * np.pi / 7))
    growth = (true * np.exp(0.02 * random.normal(size=304)))[:300]
    run = trained(daily(growth), tmp_path / "run", window=14, epochs=3)
    assert run.task.plan.log_scale
    forecast = run.predict()["forecast"].to_numpy()
    np.testing.assert_allclose(forecast, true[300:], rtol=0.15)
    assert not divided(daily(50 + random.normal(size=300)), horizon=4).plan.log_scale
    with pytest.raises(UsageError, match="hold values below 0, so that there is no --log-scale"):
        divided(daily(random.normal(size=300)), horizon=4, log_scale=True)


def test_counts_and_amounts_are_never_forecast_below_zero(tmp_path: Path) -> None:
    random = np.random.default_rng(6)
    counts = random.choice([0.0] * 11 + [1, 4, 5], 300)
    run = trained(daily(counts), tmp_path / "run", epochs=2)
    assert run.task.plan.non_negative
    quantiles = run.predict().select(pl.col("^(q.*|forecast)$")).to_numpy()
    assert quantiles.min() == 0
    assert any("forecasts stop at 0" in note for note in divided(daily(counts)).provenance.notes)
    free = trained(daily(counts), tmp_path / "free", epochs=2, non_negative=False, distribution="free")
    assert free.predict().select(pl.col("^q.*$")).to_numpy().min() < 0


@pytest.mark.parametrize(
    ("values", "expected"),
    [([3.0, 0, 2, 7], True), ([0.5, 20.0, 3.1], True), ([-1.0, 2, 3], False), ([286.5, 290.1], False), ([0.0], False)],
)
def test_what_looks_like_counts_or_amounts(values: list[float], expected: bool) -> None:
    table = divided(daily(np.arange(40.0)), horizon=2, window=4).table
    series = table.series[0]
    object.__setattr__(series, "values", np.array(values)[:, None])
    assert is_non_negative(table, np.array([len(values)])) is expected


def test_the_plan_says_what_was_decided() -> None:
    plan = divided(daily(np.random.default_rng(7).normal(size=300)), horizon=4).plan
    assert isinstance(plan, ForecastOptions)
    assert (plan.non_negative, plan.log_scale) == (False, False)


def test_a_panel_of_very_different_scales_is_forecast_as_its_standardised_series_are(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    names, week = "abcdef", np.array([0.0, 3.0, -1.0, 2.0, -4.0, 1.0, -1.0])
    alike = [np.resize(week, 100) + random.normal(size=100).cumsum() / 2 for _ in names]
    alike = [(values - values.mean()) / values.std() for values in alike]
    sizes = 10.0 ** np.arange(-3, 3)
    # One hardly moves beside its level, one is all but a line for most of its length.
    levels = np.array([0.0, 5.0, -40.0, 0.0, 3e3, -5e5])

    def error(series: list[np.ndarray], out: str) -> float:
        frame = pl.concat([daily(values, s=[name] * 100) for name, values in zip(names, series, strict=True)])
        run = trained(frame, tmp_path / out, series="s", epochs=4, hidden=8, test_steps=20, validation_steps=20)
        return float(run.summary["metrics"]["test_mase"])

    standardised = error(alike, "alike")
    as_they_are = error([v * size + level for v, size, level in zip(alike, sizes, levels, strict=True)], "different")
    # Windows are measured by themselves and their own series, so that what is left is rounding.
    assert as_they_are == pytest.approx(standardised, rel=0.01)
