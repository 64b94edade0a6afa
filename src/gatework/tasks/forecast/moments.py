"""What is known of every step ahead without any column: the calendar, and holidays."""

from __future__ import annotations

import numpy as np

from gatework.data.panel import Panel
from gatework.tasks.forecast.holidays import holiday_features
from gatework.tasks.forecast.options import ForecastOptions
from gatework.tasks.forecast.season import calendar


def moments(table: Panel, positions: np.ndarray, plan: ForecastOptions) -> np.ndarray:
    """The features of steps.

    Args:
        table: Gives the frequency and the clock.
        positions: Positions on the grid, shape (steps,).
        plan: Says which there are.

    Returns:
        Shape (steps, features), float32.
    """
    features = [np.zeros((len(positions), 0), np.float32)]
    if plan.calendar:
        features.append(calendar(table, positions))
    if plan.holidays:
        features.append(holiday_features(table, positions, plan.holidays))
    return np.concatenate(features, axis=1)
