import datetime

import numpy as np
import polars as pl
import pytest

from gatework.data.panel import Panel, read_panel
from gatework.data.tables import read_table
from gatework.errors import UsageError
from gatework.options import TimeOptions
from gatework.tasks.forecast.holidays import checked_place, holiday_features
from support.daily_tables import daily, trained

holidays = pytest.importorskip("holidays")


def panel(start: datetime.datetime, step: str, count: int) -> Panel:
    times = pl.datetime_range(start, start + datetime.timedelta(days=1500), step, eager=True).head(count)
    frame = pl.DataFrame({"t": times, "y": np.arange(float(count))})
    return read_panel(read_table(frame), TimeOptions(time="t"), ["y"])


def test_a_step_of_a_day_or_less_knows_of_its_own_day_the_next_and_the_one_before() -> None:
    days = panel(datetime.datetime(2023, 12, 20), "1d", 12)
    features = holiday_features(days, np.arange(12) + days.series[0].start, "DE")
    at = np.flatnonzero(features[:, 0])  # the 25th and the 26th
    np.testing.assert_array_equal(at, [5, 6])
    np.testing.assert_array_equal(np.flatnonzero(features[:, 1]), [4, 5, 11])  # the 31st stands before New Year's Day
    np.testing.assert_array_equal(np.flatnonzero(features[:, 2]), [6, 7])
    hours = panel(datetime.datetime(2023, 12, 24), "1h", 72)
    np.testing.assert_array_equal(
        holiday_features(hours, np.arange(72) + hours.series[0].start, "DE")[:, 0] > 0,
        np.repeat([False, True, True], 24),
    )


def test_a_longer_step_counts_its_holidays() -> None:
    months = panel(datetime.datetime(2023, 1, 1), "1mo", 12)
    counted = holiday_features(months, np.arange(12) + months.series[0].start, "DE")[:, 0]
    of_year = holidays.country_holidays("DE", years=2023)
    np.testing.assert_array_equal(counted, np.bincount([d.month - 1 for d in of_year], minlength=12))


def test_holidays_move_a_forecast_and_an_unknown_place_is_a_sentence(tmp_path) -> None:
    days = [datetime.date(2019, 1, 1) + datetime.timedelta(k) for k in range(720)]
    closed = holidays.country_holidays("DE", years=(2019, 2020))
    values = np.array([0.0 if day in closed else 10.0 for day in days])
    values += np.random.default_rng(0).normal(size=len(days)) / 10
    frame = daily(values, start="2019-01-01")
    options = {"skip": "mean", "scaling": "series", "season": 1, "horizon": 8, "test_steps": 8, "best_weights": False}
    run = trained(frame, tmp_path / "run", holidays="DE", epochs=12, **options)
    forecast = {row["day"]: row["forecast"] for row in run.predict().to_dicts()}
    assert forecast["2020-12-25"] < 5 < forecast["2020-12-22"]
    for place in ("Germany", "DE-XX"):
        with pytest.raises(UsageError, match="--holidays"):
            checked_place(place)
