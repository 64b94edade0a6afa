"""How quantiles become forecasts along origins."""

import numpy as np

from gatework.data.panel import read_panel
from gatework.data.tables import Table
from gatework.options import TimeOptions
from gatework.tasks.forecast.intervals import Intervals
from gatework.tasks.forecast.options import ForecastOptions
from gatework.tasks.forecast.rests import Rests
from gatework.tasks.forecast.shares import ANSWER
from gatework.tasks.forecast.windows import Origins, OriginSplit
from support.daily_tables import daily


def test_rounding_errors_of_a_mean_of_ends_at_zero_do_not_reach_below_it() -> None:
    # Weights that do not add up to 1 to the last bit, about a median that is no binary fraction.
    values = np.where(np.arange(120) % 7 == 6, 0.0, np.random.default_rng(0).poisson(0.4, 120) / 10)
    table = read_panel(Table.of(daily(values)), TimeOptions(time="day"), ["y"])
    plan = ForecastOptions(horizon=4, season=7, window=14, non_negative=True)
    origins = Origins(table, np.array([[0, 0, step] for step in range(60, 110)]), 4, 7, np.ones((1, 1)))
    random, split = np.random.default_rng(1), OriginSplit(origins)
    said = {name: np.sort(random.gamma(0.1, 0.1, (50, 4, 7)), axis=-1) for name in (ANSWER, "network", "AutoETS")}
    said = {name: np.where(np.arange(7) < 2, 0.0, each) for name, each in said.items()}
    along = Intervals(table, plan, Rests())
    bands = along.unknown_bands(said, 0.0)
    below = bands.follow(said, split.targets["value"], origins.times(), along.keys(origins), 0.0)[0]
    assert below.min() < 0
    assert along.banded(bands, said, split)[0].min() == 0
