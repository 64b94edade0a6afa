"""Intervals along a stretch of origins: what they learn, when, and how well they hold."""

from pathlib import Path

import numpy as np
import pytest

from gatework.tasks.forecast.conformal import CLASSES, PROMISED, Calibration, stretched
from gatework.tasks.forecast.metrics import LEVELS, MEDIAN, coverage, weighted_quantile_loss
from support.daily_tables import daily, trained

BANDS = np.array([-1.959964, -1.281552, -0.674490, 0.0, 0.674490, 1.281552, 1.959964])
"""The quantiles of a standard normal law."""
# Scores are counted in classes of this width, so that a factor is known to within it.
CLASS = 10 ** (1 / 32)


def issued(origins: int, horizon: int) -> np.ndarray:
    return np.broadcast_to(BANDS, (origins, horizon, len(LEVELS)))


def one(origins: int) -> np.ndarray:
    """The keys of origins of one series."""
    return np.zeros(origins, dtype=np.int64)


def held_back(y: np.ndarray, keys: np.ndarray | None = None, series: int = 1) -> Calibration:
    """What origins teach that follow each other without a step in common."""
    times = y.shape[1] * np.arange(len(y))
    keys = one(len(y)) if keys is None else keys
    return Calibration.unknown(series, y.shape[1]).held_back(issued(*y.shape), y, times, keys)


def test_coverage_returns_to_the_promise_where_the_future_is_unlike_the_past() -> None:
    random = np.random.default_rng(0)
    count = 2000
    spread = np.concatenate([np.full(700, 1.0), np.full(700, 6.0), np.linspace(6, 0.2, 600)])
    y = (random.normal(size=count) * spread)[:, None]
    known = held_back(random.normal(size=(50, 1)))
    factors, after = known.follow(issued(count, 1), y, np.arange(count), one(count))
    missed = (np.abs(y) > factors[:, :MEDIAN] * BANDS[:MEDIAN:-1]).mean(axis=0)
    np.testing.assert_allclose(missed, PROMISED, atol=0.05)
    fixed = np.abs(y) > known.stretch(one(1))[:, :MEDIAN] * BANDS[:MEDIAN:-1]
    assert (fixed.mean(axis=0) > PROMISED + 0.15).all()
    assert ((after.alpha >= 0) & (after.alpha <= 1)).all()


def test_no_interval_is_stretched_beyond_the_largest_score_seen() -> None:
    # Every step misses, as each error is larger than all before it: alpha falls as far as it can.
    y = 1.01 ** np.arange(800)[:, None] * 3
    factors, after = held_back(np.zeros((0, 1))).follow(issued(800, 1), y, np.arange(800), one(800))
    assert ((after.alpha >= 0) & (after.alpha < 0.02)).all()
    assert (factors[1:, :MEDIAN] <= np.maximum(y[:-1], 4) / BANDS[:MEDIAN:-1] * CLASS).all()
    # Nor is any interval drawn in below nothing by steps that are all hit.
    factors, after = held_back(np.zeros((0, 1))).follow(
        issued(3000, 1), np.zeros((3000, 1)), np.arange(3000), one(3000)
    )
    assert ((after.alpha > 0) & (after.alpha <= 1)).all()
    assert (factors > 0).all()


def test_what_a_score_counts_falls_by_half_in_two_horizons() -> None:
    random = np.random.default_rng(7)
    known = held_back(random.normal(size=(4, 10)))
    np.testing.assert_allclose(known.counts.sum(axis=-1), 40)
    _, after = known.follow(issued(40, 10), random.normal(size=(40, 10)), 10 * np.arange(40), one(40))
    # 400 steps, each counting half as much as the one 20 steps after it.
    np.testing.assert_allclose(after.counts.sum(axis=-1), 1 / (1 - 0.5 ** (1 / 20)), rtol=1e-4)


def test_a_bad_day_counts_once_however_many_origins_forecast_it() -> None:
    random = np.random.default_rng(5)
    horizon, count = 24, 200
    values = random.normal(size=count + horizon)
    values[100] = 30.0
    y = values[np.arange(count)[:, None] + np.arange(horizon)]
    known = held_back(random.normal(size=(20, horizon)))
    often, end = known.follow(issued(count, horizon), y, np.arange(count), one(count))
    alone, once = known.follow(issued(count + horizon, 1), values[:, None], np.arange(count + horizon), one(224))
    # One day is a hundredth of the scores: it cannot widen a 95 % interval by more than to the 96 % quantile.
    assert often[:, 0].max() < 1.5
    np.testing.assert_allclose(end.counts.sum(axis=-1), once.counts.sum(axis=-1), rtol=0.01)
    np.testing.assert_allclose(often[-1], alone[count - 1], rtol=0.1)


def test_one_series_that_nobody_can_forecast_leaves_the_others_intervals_alone() -> None:
    random = np.random.default_rng(6)
    keys = np.repeat(np.arange(9), 20)
    y = random.normal(size=(len(keys), 3))
    alone = held_back(y, keys, 9).stretch(np.arange(9))
    y[keys == 8] *= 100
    beside = held_back(y, keys, 9).stretch(np.arange(9))
    np.testing.assert_allclose(beside[:8], alone[:8], rtol=0.1)
    assert (beside[8, :MEDIAN] > 30).all()


def test_a_short_series_goes_by_the_others_and_a_long_one_by_its_own() -> None:
    random = np.random.default_rng(7)
    keys = np.concatenate([np.repeat(np.arange(8), 50), [8]])
    y = random.normal(size=(len(keys), 4)) * np.where(keys == 0, 2.5, 1.0)[:, None]
    factors = held_back(y, keys, 9).stretch(np.array([0, 1, 8, -1]))[:, 0]
    assert factors[0] > 1.7
    # 200 normal scores know their 95 % quantile to about 15 % (two standard deviations).
    np.testing.assert_allclose(factors[1], 1.0, rtol=0.2)
    # A series of four steps, and one that was never seen, have the intervals of the panel.
    np.testing.assert_allclose(factors[2:], held_back(y, one(len(keys))).stretch(one(1))[0, 0], rtol=0.15)


def test_series_that_are_always_zero_do_not_narrow_the_intervals_of_the_others() -> None:
    random = np.random.default_rng(8)
    keys = np.repeat(np.arange(9), 50)
    y = random.normal(size=(len(keys), 4)) * np.where(keys < 6, 1.0, 0.01)[:, None]
    mixed, alone = held_back(y, keys, 9), held_back(y[keys < 6], keys[keys < 6], 9)
    np.testing.assert_array_equal(mixed.stretch(np.array([-1, 0])), alone.stretch(np.array([-1, 0])))
    # Where all are so sure there is nothing else to go by.
    sure = held_back(0.01 * y, keys, 9)
    assert (sure.stretch(np.array([-1]))[0, :MEDIAN] < 0.5).all()


def test_an_interval_is_stretched_by_nothing_that_comes_to_pass_later() -> None:
    random = np.random.default_rng(1)
    y, horizon = random.normal(size=40), 4
    origins = np.arange(36)
    known = held_back(random.normal(size=(20, horizon)))
    later = np.where(np.arange(40) < 15, y, 100.0)
    windows = origins[:, None] + np.arange(horizon)
    before, after = (known.follow(issued(36, horizon), values[windows], origins, one(36))[0] for values in (y, later))
    # The origin 15 is the last to know only the steps 0 to 14.
    np.testing.assert_array_equal(before[:16], after[:16])
    assert (before[16] != after[16]).any()


def test_a_stretch_of_time_in_two_parts_teaches_what_the_whole_does() -> None:
    random = np.random.default_rng(2)
    y = random.standard_t(3, size=(60, 3))
    y[7, 1] = np.nan
    times = 3 * np.arange(60)
    known = held_back(random.normal(size=(30, 3)))
    whole, end = known.follow(issued(60, 3), y, times, one(60))
    first, half = known.follow(issued(25, 3), y[:25], times[:25], one(25))
    second, again = half.follow(issued(35, 3), y[25:], times[25:], one(35))
    np.testing.assert_array_equal(whole, np.concatenate([first, second]))
    np.testing.assert_array_equal(end.counts, again.counts)
    np.testing.assert_array_equal(end.alpha, again.alpha)


def test_a_fixed_calibration_has_the_quantiles_of_the_scores() -> None:
    random = np.random.default_rng(3)
    y = 3 * np.abs(random.normal(size=(50_000, 1)))
    known = held_back(y)
    assert known.counts.shape == (1, len(PROMISED), CLASSES)
    expected = [np.quantile(y / BANDS[-1 - k], 1 - PROMISED[k]) for k in range(len(PROMISED))]
    np.testing.assert_allclose(known.stretch(one(1))[0, :MEDIAN], expected, rtol=0.02)


@pytest.mark.parametrize("width", [0.0, 1e-300, 1e-9])
def test_a_value_outside_an_interval_without_width_is_missed_and_counts_in_the_last_class(width: float) -> None:
    y = np.full((40, 1), 1e12)
    known = Calibration.unknown(1, 1).held_back(issued(40, 1) * width, y, np.arange(40), one(40))
    assert (known.counts[0, :, -1] == 40).all()
    assert known.counts.sum() == 40 * len(PROMISED)
    with np.errstate(all="raise"):
        factors, after = known.follow(issued(40, 1) * width, y, np.arange(40), one(40))
    assert np.isfinite(factors).all()
    assert (after.alpha < known.alpha).all()


def test_a_side_that_zero_cut_short_does_not_stretch_the_other_without_end() -> None:
    # One value in ten lies a twentieth of the upper side below a median that is next to 0.
    quantiles = 0.1 + np.where(BANDS < 0, 1e-4 * BANDS, BANDS) * np.ones((200, 1, 1))
    y = np.where(np.arange(200) % 10, 0.1, 0.0)[:, None]
    known = Calibration.unknown(1, 1).held_back(quantiles, y, np.arange(200), one(200))
    assert (known.stretch(one(1)) <= 1).all()


def test_without_held_back_forecasts_the_bands_stay_as_they_are() -> None:
    nothing = held_back(np.full((3, 2), np.nan))
    np.testing.assert_allclose(nothing.stretch(one(1)), 1.0, rtol=0.01)
    factors, after = nothing.follow(issued(0, 2), np.zeros((0, 2)), np.zeros(0, np.int64), one(0))
    assert factors.shape == (0, len(LEVELS))
    np.testing.assert_array_equal(after.counts, nothing.counts)


def test_two_held_back_values_do_not_overrule_what_was_learnt() -> None:
    lucky, unlucky = (held_back(np.array([values])).stretch(one(1))[0, 0] for values in ((0.0, 0.1), (4.0, 5.0)))
    assert 0.7 < lucky < 1
    assert 1 < unlucky < 5 / BANDS[-1] * CLASS


def errors(kind: str, random: np.random.Generator, count: int, horizon: int) -> np.ndarray:
    """Forecast errors of overlapping origins, shape (count, horizon), of unit size for the most part."""
    steps = np.arange(count)[:, None] + np.arange(horizon)
    noise = random.standard_t(4, size=count + horizon) if kind == "heavy tails" else random.normal(size=count + horizon)
    if kind == "a season of its spread":
        noise *= 1 + 0.7 * np.sin(np.arange(count + horizon) / 15)
    if kind == "runs":
        noise = np.convolve(noise, np.ones(horizon) / horizon**0.5, mode="same")
    if kind == "bad days":
        noise[random.integers(count // 3, count, 5)] = 25.0
    if kind == "a change":
        noise[count // 2 :] *= 2
    found: np.ndarray = noise[steps]
    return found


@pytest.mark.parametrize("kind", ["normal", "heavy tails", "a season of its spread", "runs", "bad days", "a change"])
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5])
def test_calibration_never_costs_more_than_a_little_quantile_loss(kind: str, scale: float) -> None:
    random = np.random.default_rng(8)
    count, horizon, held = 400, 12, 40
    y = errors(kind, random, count, horizon)
    bands = scale * issued(count, horizon)
    times = np.arange(count)
    known = Calibration.unknown(1, horizon).held_back(bands[:held], y[:held], times[:held], one(held))
    test = slice(held + horizon, None)
    factors, _ = known.follow(bands[test], y[test], times[test], one(count)[test])
    followed = stretched(bands[test], factors)
    fixed = stretched(bands[test], np.repeat(known.stretch(one(1)), len(factors), axis=0))
    loss, *others = (weighted_quantile_loss(each, y[test]) for each in (followed, bands[test], fixed))
    assert loss <= 1.05 * min(others)
    assert abs(coverage(followed[..., 0], followed[..., -1], y[test]) - 0.95) < 0.05
    assert (np.diff(followed, axis=-1) >= 0).all()


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
    assert later(6.0) > 1.3 * later(1.0)
