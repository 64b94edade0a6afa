"""Methods of statsforecast at origins that their parameters were not fitted for."""

import numpy as np
import pytest

from gatework.data.panel import read_panel
from gatework.data.tables import read_table
from gatework.options import TimeOptions
from gatework.tasks.forecast.statistical import STATISTICAL, Fit, Statistical, borne_out
from gatework.tasks.forecast.windows import Origins
from support.daily_tables import daily


class Says:
    """A model that goes on with one value, and with ends so far from it; its past forecasts were too low by a share."""

    def __init__(self, value: float, reach: float = 0.0, off: float = 0.0, components: str = "") -> None:
        self.value, self.reach, self.off = value, reach, off
        self.model_ = {"components": components}

    def forward(self, values: np.ndarray, horizon: int, level: list[int], fitted: bool) -> dict[str, np.ndarray]:
        assert fitted
        ends = {f"lo-{percent}": np.full(horizon, self.value - self.reach) for percent in level}
        ends |= {f"hi-{percent}": np.full(horizon, self.value + self.reach) for percent in level}
        return {"mean": np.full(horizon, self.value), "fitted": values / (1 + self.off), **ends}


@pytest.mark.parametrize(("value", "is_kept"), [(169.0, True), (-99.0, True), (171.0, False), (-101.0, False)])
def test_a_model_that_leaps_far_from_every_value_says_nothing(value: float, is_kept: bool) -> None:
    # Values from 8 to 62: two such ranges beyond them end at -100 and 170.
    values = np.where(np.arange(200) < 160, 10, 60) + np.resize([-2.0, 0.0, 2.0], 200)
    table = read_panel(read_table(daily(values)), TimeOptions(time="day"), ["y"])
    origins = Origins(table, np.array([[0, 0, 200]]), 3, 1, np.ones((1, 1)))
    method = Statistical("AutoARIMA", table, {0: Fit(table.series[0].start, None, Says(value))}, 1, -np.inf)
    assert np.isfinite(method.quantiles(origins)).all() == is_kept


@pytest.mark.parametrize("kind", STATISTICAL)
def test_a_shift_of_the_level_does_not_widen_a_models_bands_for_good(kind: str) -> None:
    noise = np.random.default_rng(0).normal(0, 1, 160)
    widths = [_first_width(kind, 50 + noise + np.where(np.arange(160) < 100, 0, shift)) for shift in (0, 100)]
    # The shift adds 100^2 / 156 to the variance of 156 errors, so a band by the variance is at least 8 times as wide.
    assert widths[1] < 4 * widths[0]


def _first_width(kind: str, values: np.ndarray) -> float:
    """The width of the 95 % interval one step after the last value."""
    table = read_panel(read_table(daily(values)), TimeOptions(time="day"), ["y"])
    origins = Origins(table, np.array([[0, 0, len(values)]]), 3, 1, np.ones((1, 1)))
    said = Statistical.fit(kind, origins, 1, -np.inf).quantiles(origins)
    return float(said[0, 0, -1] - said[0, 0, 0])


def test_bands_reach_as_far_as_the_models_errors_did_lately() -> None:
    # Errors of 1 for so long that nothing else counts, then of 3 for 400 steps: four half-lives, which leave a
    # sixteenth of the weight to the former. So the middle half of the errors, and 80 % of them, are those of 3.
    errors = np.where(np.arange(5000) < 4600, 1.0, 3.0)
    ends = np.array([-20.0, -13, -7, 0, 7, 13, 20])
    said = borne_out(np.stack([ends, 2 * ends]), errors)
    near = (3 / ends[4:]) ** (145 / 165) * ends[4:]
    np.testing.assert_allclose(said[0, 4:6], near[:2], rtol=0.01)
    np.testing.assert_allclose(said, -said[:, ::-1])
    np.testing.assert_allclose(said[1], 2 * said[0])


def test_errors_of_a_smoothing_by_shares_of_the_level_count_by_the_level() -> None:
    # Each forecast was too low by a tenth, mostly of 10, lately of 1,000: the ends of 100 on either side are borne out.
    values = np.where(np.arange(200) < 195, 10.0, 1000.0)
    table = read_panel(read_table(daily(values)), TimeOptions(time="day"), ["y"])
    origins = Origins(table, np.array([[0, 0, 200]]), 3, 1, np.ones((1, 1)))
    model = Says(1000, reach=100, off=0.1, components="MNN")
    said = Statistical("AutoETS", table, {0: Fit(table.series[0].start, None, model)}, 1, -np.inf).quantiles(origins)
    np.testing.assert_allclose(said[0, 0, [0, 3, 6]], [900, 1000, 1100], rtol=1e-2)


def test_bands_about_a_level_that_shifted_do_not_widen_as_those_of_a_random_walk() -> None:
    # Smoothing that follows every value widens its bands by the root of the steps: to the double at the fourth. Noise
    # about a level has errors that do not grow, which 96 steps of evidence, beside 80 steps' worth of none, show.
    noise = np.random.default_rng(0).normal(0, 1, 200)
    table = read_panel(read_table(daily(50 + noise + np.where(np.arange(200) < 40, 0, 100))), TimeOptions("day"), ["y"])
    origins = Origins(table, np.array([[0, 0, 200]]), 4, 1, np.ones((1, 1)))
    method = Statistical.fit("AutoETS", origins, 1, -np.inf)
    widths = np.ptp(method.quantiles(origins)[0], axis=1)
    np.testing.assert_allclose(widths[3] / widths[0], 2 * 4 ** (-0.5 * 96 / 176), rtol=0.02)
    assert Statistical.from_state(method.state(), table).fits[0].power == method.fits[0].power
