"""The simple detectors find what is plainly there, and look at no later row."""

import numpy as np
import pytest

from gatework.tasks.detect.baselines import (
    isolation_forest,
    matrix_profile,
    robust_z,
    seasonal_difference,
    windowed_gaussian,
)
from gatework.tasks.detect.thresholds import threshold


def daily(rows=600, season=24):
    noise = np.random.default_rng(0).normal(scale=0.05, size=rows)
    return (np.sin(2 * np.pi * np.arange(rows) / season) + noise)[:, None]


METHODS = {
    "robust z": lambda values: robust_z(values, window=100),
    "seasonal difference": lambda values: seasonal_difference(values, 24),
    "isolation forest": lambda values: isolation_forest(values, fit_rows=300),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_spike_has_the_highest_score(name):
    values = daily()
    values[450] += 8
    scores = METHODS[name](values)
    assert scores.shape == (600,)
    assert abs(int(np.nanargmax(scores)) - 450) <= 8


def test_the_seasonal_difference_sees_a_season_that_is_missed():
    values = daily()
    values[480:492] = 0.0
    scores = seasonal_difference(values, 24)
    assert np.nanmax(scores[480:492]) > 2 * np.nanmax(scores[50:480])


@pytest.mark.parametrize("name", METHODS)
def test_no_score_depends_on_a_later_row(name):
    values = daily()
    later = values.copy()
    later[500:] += 100
    assert np.array_equal(METHODS[name](values)[:500], METHODS[name](later)[:500], equal_nan=True)


@pytest.mark.parametrize("name", METHODS)
def test_missing_and_constant_values_are_borne(name):
    for values in (np.full((80, 1), 5.0), np.full((80, 2), np.nan)):
        scores = METHODS[name](values)
        assert not np.isinf(scores).any()
    holes = daily()
    holes[100:110] = np.nan
    assert np.isfinite(METHODS[name](holes)[300:]).all()


def test_the_matrix_profile_is_the_distance_to_the_nearest_earlier_stretch():
    values, window = daily(rows=160), 20
    values[120:130] = 0.0
    found = matrix_profile(values, window)
    stretches = np.lib.stride_tricks.sliding_window_view(values[:, 0], window)
    level = stretches - stretches.mean(axis=1, keepdims=True)
    standard = level / level.std(axis=1, keepdims=True)
    for row in (60, 100, 129, 150):
        last = row - window + 1
        # Stretches that overlap by three quarters or more are the same one.
        earlier = standard[: last - window // 4]
        nearest = np.linalg.norm(earlier - standard[last], axis=1).min()
        # The correlation is 1 minus a small difference: half of the digits are left of a distance near 0.
        assert found[row] == pytest.approx(nearest, rel=1e-6)
    later = values.copy()
    later[140:] += np.linspace(0, 5, 20)[:, None]
    # Its running sums are of the standardised column, so they round otherwise.
    np.testing.assert_allclose(matrix_profile(later, window)[:140], found[:140], rtol=1e-6)
    assert np.isnan(matrix_profile(values[:30], window)).all()


def test_the_windowed_gaussian_moves_on_in_steps():
    values = np.arange(40.0)
    found = windowed_gaussian(values, window=10, step=5)
    mean, std = np.mean(values[5:15]), np.std(values[5:15])
    from scipy import stats

    assert found[17] == pytest.approx(1 - stats.norm.sf((17 - mean) / std))


@pytest.mark.parametrize("rows", range(12))
def test_an_isolation_forest_of_too_few_rows_has_no_scores(rows):
    scores = isolation_forest(np.arange(rows, dtype=np.float64)[:, None], fit_rows=2)
    assert scores.shape == (rows,)
    assert np.isnan(scores[: max(8, rows if rows < 10 else 8)]).all()


def test_an_error_where_nothing_was_ever_wrong_is_a_number_without_a_warning():
    rule = threshold("quantile")
    rule.run(np.zeros(50))
    ratios, _ = rule.judge(np.array([0.0, 1e30, np.nan]))
    assert np.isfinite(ratios[:2]).all()
    assert np.isnan(ratios[2])
