"""Steps at which nothing ever happens: found in the training part, forecast as 0, until something happens there."""

import datetime

import numpy as np
import polars as pl
import pytest

from gatework.data.panel import read_panel
from gatework.data.tables import Table
from gatework.options import TimeOptions
from gatework.tasks.forecast.metrics import LEVELS
from gatework.tasks.forecast.options import ForecastOptions
from gatework.tasks.forecast.rests import Rests
from gatework.tasks.forecast.windows import last_origins
from gatework.training import Run, train

MONDAY = datetime.datetime(2023, 1, 2)


def shop(weeks: int, seed: int = 0, opens: int | None = None, closed: int = 6) -> pl.DataFrame:
    """Daily sales of a shop that is closed on one day of the week, until it opens in some week."""
    random, rows = np.random.default_rng(seed), []
    week = random.uniform(20, 60, 7)
    for day in range(7 * weeks):
        is_closed = day % 7 == closed and (opens is None or day // 7 < opens)
        rows.append((MONDAY + datetime.timedelta(day), 0 if is_closed else int(random.poisson(week[day % 7])) + 1))
    return pl.DataFrame(rows, schema=["time", "y"], orient="row")


def fitted(frame: pl.DataFrame, season: int = 7, *, non_negative: bool = True):
    table = read_panel(Table.of(frame), TimeOptions(time="time"), ["y"])
    plan = ForecastOptions(season=season, horizon=7, window=21, non_negative=non_negative)
    return table, Rests.fit(table, np.array([len(table.series[0])]), plan)


@pytest.mark.parametrize("season", [7, 1])
@pytest.mark.parametrize(("weeks", "highest"), [(8, 0.9), (37, 0.95), (38, 0.975), (100, 0.975)])
def test_every_quantile_that_laplaces_rule_allows_is_zero(weeks: int, highest: float, season: int) -> None:
    table, rests = fitted(shop(weeks), season)
    assert rests
    origins = last_origins(table, 7, season)
    quantiles = rests.applied(np.ones((1, 7, len(LEVELS))), origins, table)[0]
    assert (quantiles[:6] == 1).all()
    assert [level for level, value in zip(LEVELS, quantiles[6], strict=True) if value == 0] == [
        level for level in LEVELS if level <= highest
    ]
    assert "every Sunday" in rests.note(table)
    again = Rests.from_state(rests.state())
    assert np.array_equal(again.at(origins, table), rests.at(origins, table))


def test_what_stood_before_the_opening_is_no_evidence() -> None:
    before = [(MONDAY - datetime.timedelta(k), 0) for k in range(7 * 60, 0, -1)]
    late = pl.concat([pl.DataFrame(before, schema=["time", "y"], orient="row"), shop(20)])
    table, rests = fitted(late)
    assert rests.at(last_origins(table, 7, 7), table)[0].tolist() == [0] * 6 + [20]
    assert not fitted(pl.concat([late[: 7 * 60], shop(7)]))[1]


def test_what_chance_may_have_made_is_no_rule() -> None:
    assert not fitted(shop(7))[1]
    assert not fitted(shop(20), non_negative=False)[1]
    assert not fitted(shop(20, opens=19))[1]
    rare = shop(20).with_columns(y=pl.when(pl.int_range(pl.len()) % 31 == 2).then("y").otherwise(0))
    assert not fitted(rare)[1]
    market = shop(20).with_columns(y=pl.when(pl.int_range(pl.len()) % 7 == 2).then("y").otherwise(0))
    assert fitted(market)[1]


def test_where_no_series_rests_nothing_changes() -> None:
    table, rests = fitted(shop(7))
    origins = last_origins(table, 7, 7)
    quantiles, y = np.random.default_rng(0).normal(size=(1, 7, len(LEVELS))), np.zeros((1, 7))
    assert np.array_equal(rests.applied(quantiles, origins, table), quantiles)
    assert np.array_equal(rests.awake(y, origins, table), y)
    assert not Rests.from_state({})
    assert not Rests.from_state(rests.state())


def test_a_day_that_is_no_longer_closed_is_forecast_again() -> None:
    table, rests = fitted(shop(30))
    newer, _ = fitted(shop(33, opens=31))
    assert rests
    assert rests.at(last_origins(table, 7, 7), table)[0].tolist() == [0] * 6 + [30]
    assert not rests.at(last_origins(newer, 7, 7), table).any()
    y = np.arange(7.0)[None]
    assert np.isnan(rests.awake(y, last_origins(table, 7, 7), table)[0]).tolist() == [False] * 6 + [True]


def test_a_day_that_was_open_twice_is_forecast_like_the_last_two_until_eight_weeks_have_passed() -> None:
    _, rests = fitted(shop(30))
    quantiles = np.tile(10 * np.arange(1, 8, dtype=float), (1, 7, 1))
    quantiles[:, 6] /= 10
    for weeks, is_lifted in ((1, False), (2, True), (7, True), (8, False)):
        newer, _ = fitted(shop(30 + weeks, opens=30))
        after = rests.applied(quantiles, last_origins(newer, 7, 7), newer)[0]
        assert np.array_equal(after[:6], quantiles[0, :6])
        last = newer.series[0].values[-1:-14:-7, 0].mean()
        # As wide beside its median as the other days are.
        expected = np.round(last * np.arange(1, 8) / 4) if is_lifted else quantiles[0, 6]
        np.testing.assert_allclose(after[6], expected)
    newer, _ = fitted(shop(33, opens=30))
    origins = last_origins(newer, 7, 7)
    assert np.array_equal(rests.applied(quantiles * 50, origins, newer), quantiles * 50)
    assert (np.diff(rests.applied(quantiles + 0.5, origins, newer)[0, 6]) % 1 > 0).any()
    # Nothing is known of the other days where all of them are 0.
    assert not rests.applied(np.zeros_like(quantiles), origins, newer).any()


def test_one_open_sunday_is_no_end_of_the_rest() -> None:
    table = shop(31).with_columns(y=pl.when(pl.int_range(pl.len()) == 7 * 31 - 1).then(40).otherwise("y"))
    newer, _ = fitted(table)
    _, rests = fitted(shop(30))
    quantiles = np.tile(np.arange(1.0, 8), (1, 7, 1))
    assert np.array_equal(rests.applied(quantiles, last_origins(newer, 7, 7), newer), quantiles)


def test_hours_at_which_a_shop_is_closed() -> None:
    random = np.random.default_rng(0)
    hours = [MONDAY + datetime.timedelta(hours=k) for k in range(24 * 7 * 10)]
    open_now = [8 <= at.hour < 20 and at.weekday() < 6 for at in hours]
    sales = [int(random.poisson(30)) + 1 if is_open else 0 for is_open in open_now]
    table, rests = fitted(pl.DataFrame({"time": hours, "y": sales}), season=24)
    assert rests
    origins = last_origins(table, 24 * 7, 24)
    assert ((rests.at(origins, table)[0] == 0) == np.array(open_now[: 24 * 7])).all()


def test_a_closed_day_is_forecast_as_zero_by_a_run_and_by_simple_methods(tmp_path) -> None:
    table = pl.concat([shop(60, k).with_columns(store=pl.lit(f"s{k}")) for k in range(2)])
    run = train(
        "forecast", table, out=tmp_path / "run", time="time", target="y", series="store", horizon=7, epochs=2, hidden=4
    )
    for opened in (run, Run.open(tmp_path / "run")):
        rows = opened.predict()
        is_closed = rows["time"].cast(pl.String).str.slice(0, 10).str.to_date().dt.weekday() == 7
        assert is_closed.sum() == 2
        quantiles = rows.filter(is_closed).select("forecast", pl.col("^q0.*$"))
        assert (quantiles.to_numpy() == 0).all()
        assert (rows.filter(~is_closed)["forecast"] > 1).all()
        assert (rows.filter(is_closed)["network"] == 0).all() if "network" in rows.columns else True
