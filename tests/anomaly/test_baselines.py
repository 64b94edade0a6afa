"""The simple detectors find what is plainly there, and look at no later row."""

import numpy as np
import pytest

from gatework.anomaly.baselines import isolation_forest, robust_z, seasonal_difference, windowed_gaussian


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


def test_the_windowed_gaussian_moves_on_in_steps():
    values = np.arange(40.0)
    found = windowed_gaussian(values, window=10, step=5)
    mean, std = np.mean(values[5:15]), np.std(values[5:15])
    from scipy import stats

    assert found[17] == pytest.approx(1 - stats.norm.sf((17 - mean) / std))
