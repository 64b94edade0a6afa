"""The simple detectors that a network must beat: one score per row, from this row and those before it alone.

`robust_z`, `seasonal_difference`, `isolation_forest` and `matrix_profile` give errors of the form that a threshold
takes, `beyond` scores.
`windowed_gaussian` and `random_scores` are the reference rows of the Numenta Anomaly Benchmark, as that computes them.
"""

from __future__ import annotations

import math
import random

import numpy as np

from gatework.data.filling import forward_filled

_MAD_TO_STD = 1.4826
_LEAST_SPREAD = 1e-9


def robust_z(values: np.ndarray, window: int = 500) -> np.ndarray:
    """Distance from the median of the last rows, in deviations that outliers do not move (1.4826 x MAD).

    Args:
        values: Shape (rows, variables); NaN where missing.
        window: Rows that the median is taken of.

    Returns:
        The largest distance of a row's variables, shape (rows,); NaN for the first rows and where all are missing.
    """
    scores = np.full(values.shape, np.nan)
    filled = _filled(values)
    overall = filled.std(axis=0)
    step = max(1, window // 50)
    for row in range(2, len(values), step):
        past = filled[max(0, row - window) : row]
        middle = np.median(past, axis=0)
        spread = _MAD_TO_STD * np.median(np.abs(past - middle), axis=0) + 0.05 * past.std(axis=0)
        here = slice(row, row + step)
        scores[here] = np.abs(values[here] - middle) / np.maximum(spread, np.maximum(overall * 1e-6, _LEAST_SPREAD))
    return _largest(scores)


def seasonal_difference(values: np.ndarray, season: int) -> np.ndarray:
    """Distance from the value one season before, in standard deviations of the rows before.

    Args:
        values: Shape (rows, variables); NaN where missing.
        season: Rows of one season; 1 compares with the row before.

    Returns:
        The largest distance of a row's variables, shape (rows,); NaN in the first season.
    """
    filled = _filled(values)
    differences = np.full(values.shape, np.nan)
    differences[season:] = np.abs(values[season:] - filled[:-season])
    count = np.arange(1, len(values) + 1)[:, None]
    mean = np.cumsum(filled, axis=0) / count
    spread = np.sqrt(np.maximum(np.cumsum(filled**2, axis=0) / count - mean**2, 0))
    return _largest(differences / np.maximum(spread, _LEAST_SPREAD))


def beyond(values: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Scores by the range of the training rows: 0.5 at its ends, above it outside.

    Args:
        values: Shape (rows, variables); NaN where missing.
        limits: The least and the largest value of each variable, shape (2, variables).

    Returns:
        The largest score of a row's variables, between 0 and 1, shape (rows,); NaN where all are missing.
    """
    middle, reach = limits.mean(axis=0), np.maximum(np.ptp(limits, axis=0) / 2, _LEAST_SPREAD)
    distance = _largest(np.abs(values - middle) / reach)
    scores: np.ndarray = distance / (distance + 1)
    return scores


def isolation_forest(values: np.ndarray, fit_rows: int, lags: int = 8, seed: int = 0) -> np.ndarray:
    """How few random cuts isolate a row together with the rows before it (Liu et al. 2008; scikit-learn's).

    Args:
        values: Shape (rows, variables); NaN where missing.
        fit_rows: The forest is grown on so many of the first rows.
        lags: How many of the rows before belong to it.
        seed: Of the forest.

    Returns:
        Shape (rows,), between 0 and 1; NaN for the first rows, and for all where they are too few.
    """
    from sklearn.ensemble import IsolationForest

    if len(values) < lags + 2:
        return np.full(len(values), np.nan)
    filled = _filled(values)
    shifted = [filled[lags - k : len(filled) - k] for k in range(lags + 1)]
    features = np.concatenate(shifted, axis=1)
    forest = IsolationForest(random_state=seed).fit(features[: max(fit_rows - lags, 2)])
    return np.concatenate([np.full(lags, np.nan), -forest.score_samples(features)])


def matrix_profile(values: np.ndarray, window: int, history: int = 5000) -> np.ndarray:
    r"""How unlike every earlier stretch the last rows are: the left matrix profile (Yeh et al. 2016).

    Stretches of $w$ rows are standardised each by itself; the distance of two with correlation $r$ is
    $\sqrt{2 w (1 - r)}$, and a row has that of the stretch which it ends to the nearest one before. The correlations
    of all stretches with those a given lag before them are one running sum.

    Args:
        values: Shape (rows, variables); NaN where missing.
        window: $w$, at least 3.
        history: How far back a stretch is compared; stretches that share three quarters of their rows never are.

    Returns:
        The largest distance of a row's variables, shape (rows,); NaN for the first two windows.
    """
    filled = _filled(values)
    profile = np.full(values.shape, np.nan)
    if len(values) > 2 * window:
        for k, column in enumerate(filled.T):
            nearest = _nearest_earlier(column, window, history)
            profile[window - 1 :, k] = np.sqrt(2 * window * np.maximum(1 - nearest, 0.0))
        profile[: 2 * window] = np.nan
    return _largest(profile)


def _nearest_earlier(column: np.ndarray, window: int, history: int) -> np.ndarray:
    """The highest correlation of each stretch with one before it, -1 where there is none, shape (stretches,)."""
    x = (column - column.mean()) / (column.std() or 1.0)
    stretches = np.lib.stride_tricks.sliding_window_view(x, window)
    mean, std = stretches.mean(axis=1), stretches.std(axis=1)
    is_flat = std < _LEAST_SPREAD
    std[is_flat] = np.inf
    best = np.full(len(stretches), -1.0)
    for lag in range(window // 4 + 1, min(history, len(stretches) - 1) + 1):
        sums = np.cumsum(x[lag:] * x[:-lag])
        sums[window:] -= sums[:-window].copy()
        correlation = (sums[window - 1 :] / window - mean[lag:] * mean[:-lag]) / (std[lag:] * std[:-lag])
        # Two flat stretches are alike; a flat one and another have nothing in common.
        correlation[is_flat[lag:] & is_flat[:-lag]] = 1.0
        np.maximum(best[lag:], correlation, out=best[lag:])
    return best


def windowed_gaussian(values: np.ndarray, window: int = 6400, step: int = 100) -> np.ndarray:
    """One minus the normal law's tail beyond each value, by mean and deviation of the rows before it.

    While fewer than `window` rows were seen these grow with every row; later they move on by `step` rows at a time.

    Args:
        values: Shape (rows,).
        window: Rows of the law.
        step: Rows by which a full window moves.
    """
    rows = np.arange(len(values))
    # The rows that the law of each row is of: first included, last excluded.
    last = np.where(rows <= window, rows, window + (rows - window) // step * step)
    first = np.maximum(last - window, 0)
    scores = np.zeros(len(values))
    known: tuple[int, float, float] = (0, 0.0, 1.0)
    for row in rows[1:]:
        if known[0] != last[row]:
            past = values[first[row] : last[row]]
            known = (int(last[row]), float(past.mean()), float(past.std()) or 1e-6)
        _, mean, std = known
        scores[row] = 1 - 0.5 * math.erfc(abs(values[row] - mean) / std / math.sqrt(2))
    return scores


def random_scores(rows: int, seed: int) -> np.ndarray:
    """Uniform random numbers, of the generator that the benchmark uses, shape (rows,)."""
    generator = random.Random(seed)
    return np.array([generator.uniform(0, 1) for _ in range(rows)])


def _filled(values: np.ndarray) -> np.ndarray:
    """Missing values filled by the one before; by the first one at the start; by 0 where there is none at all."""
    is_known = ~np.isnan(values)
    first = np.take_along_axis(values, is_known.argmax(axis=0)[None], axis=0)[0]
    return forward_filled(values, np.nan_to_num(first))


def _largest(scores: np.ndarray) -> np.ndarray:
    is_none = np.isnan(scores).all(axis=1)
    return np.where(is_none, np.nan, np.max(np.where(np.isnan(scores), -np.inf, scores), axis=1))
