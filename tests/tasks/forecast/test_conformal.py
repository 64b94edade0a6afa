"""Intervals along a stretch of origins: what they learn, when, and how well they hold."""

from pathlib import Path

import numpy as np
import pytest

from gatework.tasks.forecast.conformal import MOST_SCORES, PROMISED, Calibration
from gatework.tasks.forecast.metrics import LEVELS, MEDIAN
from support.daily_tables import daily, trained

BANDS = np.array([-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0])


def issued(origins: int, horizon: int) -> np.ndarray:
    return np.broadcast_to(BANDS, (origins, horizon, len(LEVELS)))


def test_the_long_run_share_of_misses_is_the_promised_one_however_the_future_changes() -> None:
    random = np.random.default_rng(0)
    count = 2000
    spread = np.concatenate([np.full(700, 1.0), np.full(700, 6.0), np.linspace(6, 0.2, 600)])
    y = (random.normal(size=count) * spread)[:, None]
    known = Calibration.held_back(issued(50, 1), random.normal(size=(50, 1)))
    factors, after = known.follow(issued(count, 1), y, np.arange(count))
    missed = (np.abs(y) > factors[:, :MEDIAN] * BANDS[:MEDIAN:-1]).mean(axis=0)
    # Every step moves alpha by the rate times (promised - missed), and alpha stays in [-1, 1]: the means differ by at
    # most 2 / (0.05 x 2000).
    np.testing.assert_allclose(missed, PROMISED, atol=0.02)
    np.testing.assert_allclose(after.alpha - known.alpha, 0.05 * count * (PROMISED - missed), atol=1e-9)
    fixed = np.abs(y) > known.stretch()[:MEDIAN] * BANDS[:MEDIAN:-1]
    assert (fixed.mean(axis=0) > PROMISED + 0.15).all()


def test_an_interval_is_stretched_by_nothing_that_comes_to_pass_later() -> None:
    random = np.random.default_rng(1)
    y, horizon = random.normal(size=40), 4
    origins = np.arange(36)
    known = Calibration.held_back(issued(20, horizon), random.normal(size=(20, horizon)))
    later = np.where(np.arange(40) < 15, y, 100.0)
    windows = origins[:, None] + np.arange(horizon)
    before, after = (known.follow(issued(36, horizon), values[windows], origins)[0] for values in (y, later))
    # The origin 15 is the last to know only the steps 0 to 14.
    np.testing.assert_array_equal(before[:16], after[:16])
    assert (before[16] != after[16]).any()


def test_a_stretch_of_time_in_two_parts_teaches_what_the_whole_does() -> None:
    random = np.random.default_rng(2)
    y = random.standard_t(3, size=(60, 3))
    y[7, 1] = np.nan
    times = 3 * np.arange(60)
    known = Calibration.held_back(issued(30, 3), random.normal(size=(30, 3)))
    whole, end = known.follow(issued(60, 3), y, times)
    first, half = known.follow(issued(25, 3), y[:25], times[:25])
    second, again = half.follow(issued(35, 3), y[25:], times[25:])
    np.testing.assert_array_equal(whole, np.concatenate([first, second]))
    np.testing.assert_array_equal(end.scores, again.scores)
    assert end.count == again.count == 90 + 60 * 3 - 1


def test_many_scores_are_kept_thinned_without_moving_their_quantiles() -> None:
    random = np.random.default_rng(3)
    y = np.abs(random.normal(size=(50_000, 1)))
    known = Calibration.held_back(issued(50_000, 1), y)
    assert known.scores.shape == (len(PROMISED), MOST_SCORES)
    assert known.count == 50_000
    expected = [np.quantile(y / BANDS[-1 - k], 1 - PROMISED[k]) for k in range(len(PROMISED))]
    # A kept score stands for 12 neighbours: at these levels of a normal sample that moves a quantile by well below 1 %.
    np.testing.assert_allclose(known.stretch()[:MEDIAN], expected, rtol=0.01)


def test_without_held_back_forecasts_the_bands_stay_as_they_are() -> None:
    nothing = Calibration.held_back(issued(3, 2), np.full((3, 2), np.nan))
    np.testing.assert_array_equal(nothing.stretch(), 1.0)
    factors, after = nothing.follow(issued(0, 2), np.zeros((0, 2)), np.zeros(0, np.int64))
    assert factors.shape == (0, len(LEVELS))
    assert after.count == 0


def test_a_newer_table_teaches_the_intervals_what_has_come_to_pass_since(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    values = random.normal(size=200)
    run = trained(daily(values), tmp_path / "run", skip="mean", scaling="series", epochs=2)

    def width(frame: object) -> float:
        (row,) = run.predict(frame, horizon=1).to_dicts()
        return row["q0.9"] - row["q0.1"]

    def later(spread: float) -> float:
        # The last window is the same in both, so that nothing but what lies between can matter.
        between = spread * random.normal(size=40)
        return width(daily(np.concatenate([values, between, values[-8:]])))

    assert width(daily(values)) == pytest.approx(width(None))
    assert later(6.0) > 2 * later(1.0)
