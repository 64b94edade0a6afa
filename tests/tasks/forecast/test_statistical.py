"""Methods of statsforecast at origins that their parameters were not fitted for."""

import numpy as np
import pytest

from gatework.data.panel import read_panel
from gatework.data.tables import read_table
from gatework.options import TimeOptions
from gatework.tasks.forecast.statistical import Fit, Statistical
from gatework.tasks.forecast.windows import Origins
from support.daily_tables import daily


class Says:
    """A model that goes on with one value."""

    def __init__(self, value: float) -> None:
        self.value = value

    def forward(self, values: np.ndarray, horizon: int, level: list[int]) -> dict[str, np.ndarray]:
        ends = [f"{end}-{percent}" for percent in level for end in ("lo", "hi")]
        return dict.fromkeys(["mean", *ends], np.full(horizon, self.value))


@pytest.mark.parametrize(("value", "is_kept"), [(169.0, True), (-99.0, True), (171.0, False), (-101.0, False)])
def test_a_model_that_leaps_far_from_every_value_says_nothing(value: float, is_kept: bool) -> None:
    # Values from 8 to 62: two such ranges beyond them end at -100 and 170.
    values = np.where(np.arange(200) < 160, 10, 60) + np.resize([-2.0, 0.0, 2.0], 200)
    table = read_panel(read_table(daily(values)), TimeOptions(time="day"), ["y"])
    origins = Origins(table, np.array([[0, 0, 200]]), 3, 1, np.ones((1, 1)))
    method = Statistical("AutoARIMA", table, {0: Fit(table.series[0].start, None, Says(value))}, 1, -np.inf)
    assert np.isfinite(method.quantiles(origins)).all() == is_kept
