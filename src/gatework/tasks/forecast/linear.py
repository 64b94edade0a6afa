"""A linear regression from a window to the whole horizon: a baseline, and what a network may learn the difference to.

Both sides are taken less the window's last value and divided by the window's own spread, as in NLinear (A. Zeng et al.,
"Are Transformers Effective for Time Series Forecasting?", AAAI 2023), or by a share of its series' where it hardly
varies, so that no window is blown up. The ridge penalty is the one that does best on
the latest fifth of the training windows, after which all of them are used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gatework._stored import Stored
from gatework.tasks.forecast.windows import Origins

_PENALTIES = np.logspace(-3, 4, 8)
_HELD_BACK = 0.2
_MOST_WINDOWS, _MOST_LAGS = 20_000, 720
LEAST_SPREAD = 0.05
"""A window that hardly varies is measured by this share of its series' spread, so that noise is not blown up."""


@dataclass(frozen=True, eq=False)
class Linear(Stored):
    """A fitted regression.

    Attributes:
        weights: Shape (lags, horizon), float64.
    """

    weights: np.ndarray

    def __post_init__(self) -> None:
        if self.weights.ndim != 2:
            raise ValueError("the weights of the regression are no table of numbers")
        if not (np.abs(self.weights) <= np.finfo(np.float32).max).all():
            raise ValueError("a weight of the regression is beyond the numbers that a network computes with")

    @classmethod
    def fit(cls, train: Origins, window: int, spread: np.ndarray) -> Linear:
        """Least squares with a ridge penalty, on at most 20,000 of the training origins.

        Args:
            train: The origins to learn from.
            window: The steps that a forecast is made from.
            spread: The spread of each series and target, as `measures.spreads()` gives it.
        """
        from sklearn.linear_model import Ridge

        chosen: np.ndarray = np.unique(np.linspace(0, len(train) - 1, min(len(train), _MOST_WINDOWS)).astype(np.int64))
        origins = train[chosen]
        x, level, scale = _measured(origins.histories(min(window, _MOST_LAGS)), origins.of_series(spread))
        y = (origins.actuals()["value"] - level) / scale
        whole = ~np.isnan(y).any(axis=1)
        if not whole.any():
            return cls(_by_step(x, y))
        x, y, steps = x[whole], y[whole], origins.index[whole, 2]

        def weights(penalty: float, of: np.ndarray) -> np.ndarray:
            fitted = Ridge(penalty, fit_intercept=False, solver="cholesky").fit(x[of], y[of])
            return np.asarray(fitted.coef_).reshape(y.shape[1], x.shape[1]).T

        late = steps > np.quantile(steps, 1 - _HELD_BACK)
        early = steps + train.horizon <= steps[late].min() if late.any() else late
        if not early.any():
            return cls(weights(1.0, np.ones(len(x), dtype=bool)))
        errors = [np.abs(x[late] @ weights(penalty, early) - y[late]).mean() for penalty in _PENALTIES]
        return cls(weights(_PENALTIES[int(np.argmin(errors))], np.ones(len(x), dtype=bool)))

    def __call__(self, history: np.ndarray, spread: np.ndarray) -> np.ndarray:
        """Forecasts of shape (batch, horizon), own unit.

        Args:
            history: Windows, shape (batch, window).
            spread: The spread of each one's series, shape (batch,).
        """
        return self.unmeasured(*_measured(history[:, -len(self.weights) :], spread))

    def unmeasured(self, x: np.ndarray, level: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """The same of windows that are measured already: less their last value, divided by their spread."""
        forecast: np.ndarray = level + scale * (x @ self.weights)
        return forecast


def _by_step(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Weights where a gap stands in every horizon: each step is learnt from the windows that know it."""
    from sklearn.linear_model import Ridge

    weights = np.zeros((x.shape[1], y.shape[1]))
    for step, values in enumerate(y.T):
        seen = ~np.isnan(values)
        if seen.any():
            weights[:, step] = Ridge(1.0, fit_intercept=False, solver="cholesky").fit(x[seen], values[seen]).coef_
    return weights


def _measured(history: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    level = history[:, -1:]
    scale = np.maximum(history.std(axis=1, keepdims=True), LEAST_SPREAD * spread[:, None])
    return (history - level) / scale, level, scale
