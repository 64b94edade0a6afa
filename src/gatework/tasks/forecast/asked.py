"""Where a trained model is asked to forecast from: the end of a table, or its steps that others follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gatework.data.panel import Panel
from gatework.data.reading import Reading
from gatework.data.tables import read_table
from gatework.errors import DataError, UsageError
from gatework.formatting import counted
from gatework.options import TimeOptions
from gatework.recipe import Recipe
from gatework.tasks.forecast.data import every_origin
from gatework.tasks.forecast.history import check_known, go_on
from gatework.tasks.forecast.options import ForecastOptions
from gatework.tasks.forecast.windows import OriginSplit, last_origins


def at_the_end(
    table: Panel, horizon: int, season: int, where: str = "the training table", row: Callable[[int], str] = str
) -> OriginSplit:
    """The origins after the last step of every series.

    Args:
        table: The series.
        horizon: The steps to forecast.
        season: The steps of one season.
        where: Where the table came from, for messages.
        row: Names a row of it, given its position.

    Raises:
        DataError: The table lacks what was said to be known ahead.
    """
    check_known(table, horizon, where, row)
    return OriginSplit(last_origins(table, horizon, season))


def last_windows(history: Panel, plan: ForecastOptions) -> OriginSplit:
    """The last origins of the training table's series that can be forecast from."""
    try:
        return at_the_end(history, plan.horizon, plan.season)
    except DataError:
        # What is known ahead ends with the table; the last steps of it are what is forecast.
        return OriginSplit(last_origins(history, plan.horizon, plan.season, plan.horizon))


def end_of(history: Panel, plan: ForecastOptions, source: Any, recipe: Recipe, horizon: int | None) -> OriginSplit:
    """Where to forecast from: the end of the training table, or that of a newer table.

    Args:
        history: The end of the training table.
        plan: What was trained for.
        source: None, a path, or a data frame.
        recipe: What the task was trained with.
        horizon: The steps to forecast; as many as it was trained for if None.

    Raises:
        UsageError: The horizon is longer than the trained one.
        DataError: The table cannot be used, or lacks what was said to be known ahead.
    """
    horizon = horizon or plan.horizon
    if not 1 <= horizon <= plan.horizon:
        raise UsageError(
            f"the horizon is {horizon}, expected 1 to {plan.horizon}, which this model was trained for; "
            "train again with a longer --horizon"
        )
    if source is None:
        return at_the_end(history, horizon, plan.season)
    read = read_table(source, Reading.given(recipe.data))
    table = go_on(history, recipe.section(TimeOptions), read).table
    return at_the_end(table, horizon, plan.season, read.where, read.row)


def along(history: Panel, plan: ForecastOptions, source: Any, recipe: Recipe) -> OriginSplit:
    """Every origin of a newer table that has a season before it and the whole horizon after it.

    Raises:
        DataError: The table cannot be used, or is too short.
    """
    newer_table = read_table(source, Reading.given(recipe.data))
    table, first = go_on(history, recipe.section(TimeOptions), newer_table)
    new = max(len(series) - start for series, start in zip(table.series, first, strict=True))
    if any(first) and new < plan.horizon:
        raise DataError(
            f"{newer_table.where}: after what the run has learnt from, the longest series has {counted(new, 'step')} "
            f"with values of {', '.join(table.columns.targets)}, expected at least {plan.horizon} to compare with"
        )
    return OriginSplit(every_origin(table, plan, newer_table.where, first))
