"""The end of every series as a run keeps it, and tables that a trained model is asked to go on from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from gatework._stored import converted
from gatework.data._columns import Columns, ids_of, matrix
from gatework.data._layout import MOST_STEPS
from gatework.data._step_rows import Naming, StepRows, one_row_per_step
from gatework.data.frequency import Frequency, Grid
from gatework.data.numbers import MISSING_WORDS
from gatework.data.panel import Panel, Series, read_panel
from gatework.data.reading import Reading
from gatework.data.tables import Table
from gatework.data.timestamps import read_stamps
from gatework.errors import DataError
from gatework.formatting import counted, listed
from gatework.options import TimeOptions
from gatework.tasks.forecast.options import ForecastOptions
from gatework.tasks.forecast.totals import with_totals, without_totals
from gatework.tasks.forecast.windows import Origins

_GRID = ("anchor", "is_month_end", "is_calendar")
_ARRAYS = ("values", "observed", "known", "past", "static")


def tail(table: Panel, steps: int) -> Panel:
    """The last steps of every series, with what is known of its future."""
    series = []
    for s in table.series:
        start = max(0, len(s) - steps)
        cut = {name: getattr(s, name)[start:] for name in _ARRAYS if name != "static"}
        series.append(dataclasses.replace(s, start=s.start + start, **cut))
    return dataclasses.replace(table, series=tuple(series), rows=np.zeros((0, 2), np.int64))


def to_state(table: Panel) -> dict[str, Any]:
    """A table as values that JSON can hold."""
    return {
        "frequency": table.frequency.name,
        "anchor": table.grid.anchor,
        "is_month_end": table.grid.is_month_end,
        "is_calendar": table.grid.is_calendar,
        "zone": table.zone,
        "columns": dataclasses.asdict(table.columns),
        "reading": table.reading.state(),
        "series": [
            {"id": s.id, "start": s.start, **{name: getattr(s, name).tolist() for name in _ARRAYS}}
            for s in table.series
        ],
    }


def from_state(state: Mapping[str, Any]) -> Panel:
    """The table whose `to_state()` this is."""
    columns: Columns = converted(state["columns"], Columns)
    widths = {role: place.stop - place.start for role, place in columns.slices().items()}
    widths |= {"values": widths["targets"], "observed": widths["targets"]}
    series = []
    for kept in state["series"]:
        arrays = {n: np.array(kept[n], bool if n == "observed" else np.float64) for n in _ARRAYS}
        # An empty list has lost its second axis.
        arrays = {n: a if n == "static" else a.reshape(len(kept[n]), widths[n]) for n, a in arrays.items()}
        series.append(Series(converted(kept["id"], tuple[str, ...]), converted(kept["start"], int), **arrays))
    facts = (
        converted(state[name], kind) for name, kind in (("anchor", int), ("is_month_end", bool), ("is_calendar", bool))
    )
    grid = Grid(Frequency.parse(state["frequency"]), *facts)
    return Panel(
        tuple(series),
        grid,
        state["zone"],
        columns,
        np.zeros((0, 2), np.int64),
        (),
        Reading.from_state(state["reading"]),
    )


class Continued(NamedTuple):
    """A person's new table as the end of what is known.

    Attributes:
        table: The series to forecast.
        first: The first step of each that the new table holds; what stands before it is the kept history.
    """

    table: Panel
    first: tuple[int, ...]


def go_on(history: Panel, config: TimeOptions, table: Table) -> Continued:
    """The series to forecast from a person's new table.

    Args:
        history: What the run kept.
        config: The columns and rules that it was trained with.
        table: Newer rows with the targets, which go on from the history where they begin after it began; or, where no
            target has a value, rows of the future with what is known ahead.

    Raises:
        DataError: The table cannot be used; the sentence names the row and the column.
    """
    columns = history.columns
    if any(_has_values(table, name) for name in columns.targets):
        return _joined(
            history, _with_sums(history, read_panel(table, config, columns.targets, like=history), table.where)
        )
    for name in (columns.time, *columns.ids, *columns.known):
        table.column(name)
    if not len(table):
        raise DataError(f"{table.where} holds no rows; rows of the future were expected")
    future = _future(history, config, table)
    return Continued(future, tuple(len(s) for s in future.series))


def _with_sums(history: Panel, table: Panel, source: str) -> Panel:
    """A newer table with the sums that the history has, where it holds every series that they are of."""
    parts = {series.id for series in without_totals(history).series}
    is_whole = len(parts) < len(history.series) and parts == {series.id for series in table.series}
    return with_totals(table, source) if is_whole else table


def _has_values(table: Table, name: str) -> bool:
    """Whether a column is there and holds anything: one that is left empty in rows of the future does not."""
    if name not in table.frame.columns:
        return False
    column = table.frame[name].drop_nulls()
    if column.dtype == pl.String:
        return bool((~column.str.strip_chars().is_in(list(MISSING_WORDS))).any())
    return len(column.drop_nans() if column.dtype.is_float() else column) > 0


def _joined(history: Panel, table: Panel) -> Continued:
    """A newer table behind the kept history, where it begins after that began and within a window of its end."""
    kept = {s.id: s for s in history.series}
    series, first = [], []
    for s in table.series:
        before = kept.get(s.id)
        is_behind = before is not None and before.start < s.start <= before.start + 2 * len(before)
        joined = _behind(before, s) if before is not None and is_behind else s
        series.append(joined)
        first.append(s.start - joined.start)
    rows = table.rows.copy()
    rows[:, 1] += np.array(first, dtype=np.int64)[rows[:, 0]]
    return Continued(dataclasses.replace(table, series=tuple(series), rows=rows), tuple(first))


def _behind(before: Series, after: Series) -> Series:
    """One series from the kept end of another, with what lies between filled by the last value."""
    steps = after.start - before.start
    values, observed, known, past = (
        np.concatenate([_cut(getattr(before, name), steps), getattr(after, name)])
        for name in ("values", "observed", "known", "past")
    )
    observed[len(before) : steps] = False
    return dataclasses.replace(after, start=before.start, values=values, observed=observed, known=known, past=past)


def _cut(values: np.ndarray, steps: int) -> np.ndarray:
    """The first steps; the last one repeated where there are fewer."""
    missing = max(0, steps - len(values))
    return np.concatenate([values[:steps], np.repeat(values[-1:], missing, axis=0)])


def _future(history: Panel, config: TimeOptions, table: Table) -> Panel:
    """The kept history with what a table says of steps to come."""
    columns = history.columns
    given = Reading.given(time=config)
    table = table.deciding(columns.known, history.reading, given)
    numbers = {s.id: k for k, s in enumerate(history.series)}
    ids: list[tuple[str, ...]] = [()] * len(table)
    if columns.ids:
        ids = ids_of(table.frame, columns.ids, table.where, table.row, numbers).rows()
    for row, key in enumerate(ids):
        if key not in numbers:
            raise DataError(
                f'{table.where}, {table.row(row)}: the series "{", ".join(map(str, key))}" is none that the model was '
                "trained on; give its history with the target as well"
            )
    codes = np.array([numbers[key] for key in ids])
    positions, distance = _positions(history, config, table, codes)
    only = dataclasses.replace(columns, targets=(), past=(), static=())
    _, known = matrix(table.frame, only, table.where, table.row, columns, table.reading)
    naming = Naming(table.where, table.row, lambda position: str(history.stamps(np.array([position]))[0]))
    rows = StepRows(codes, positions, distance, known, np.arange(len(table)))
    rows, notes = one_row_per_step(rows, config.duplicates, only, naming, is_clock=False)
    series = []
    for number, s in enumerate(history.series):
        of = rows.take(np.flatnonzero(rows.codes == number))
        series.append(_with_future(s, of.positions - s.start, of.values, naming, of.index))
    steps = positions - np.array([s.start for s in history.series])[codes]
    where = np.stack([codes, steps], axis=1)
    return dataclasses.replace(history, series=tuple(series), rows=where, notes=(*table.notes, *notes))


def _positions(history: Panel, config: TimeOptions, table: Table, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    stamps = read_stamps(
        table.column(history.columns.time),
        codes,
        source=table.where,
        row=table.row,
        reading=table.reading,
        is_kept=config.time_format is None,
    )
    is_local = history.frequency.is_daily_or_longer or stamps.moments is None
    clock = stamps.local if is_local or stamps.moments is None else stamps.moments
    return history.grid.positions(clock)


def _with_future(series: Series, steps: np.ndarray, known: np.ndarray, naming: Naming, index: np.ndarray) -> Series:
    later = steps >= len(series)
    size = int(steps[later].max()) + 1 if later.any() else len(series)
    if size - len(series) > MOST_STEPS:
        at = int(index[int(np.argmax(steps))])
        raise DataError(
            f"{naming.source}: {naming.row(at)} is of {naming.step(series.start + size - 1)}, {size - len(series):,} "
            "steps after what the model was trained on; mend that time"
        )
    full = np.full((size, known.shape[1]), np.nan)
    full[: len(series)] = series.known[: len(series)]
    full[steps[later]] = known[later]
    return dataclasses.replace(series, known=full)


def check_known(table: Panel, horizon: int, source: str, row: Callable[[int], str]) -> None:
    """Raises a DataError that names the first step, its row, and the column where something known ahead is not given.

    Args:
        table: What is forecast from.
        horizon: The steps to forecast.
        source: Where the table came from, for messages.
        row: Names a row of it, given its position.
    """
    if not table.columns.known:
        return
    names = [name for name in table.columns.known for _ in table.columns.features((name,))]
    for number, series in enumerate(table.series):
        end = len(series)
        ahead = series.known[end : end + horizon]
        of = f'{source}, series "{series.name}"' if series.id else source
        missing = np.argwhere(np.isnan(ahead))
        if len(missing) or len(ahead) < horizon:
            step = int(missing[0][0]) if len(missing) else len(ahead)
            lacking = [names[int(missing[0][1])]] if len(missing) else list(table.columns.known)
            named = [f'"{name}"' for name in lacking]
            column = f"column{'s' * (len(named) > 1)} {listed(named)}"
            at = np.flatnonzero((table.rows == (number, end + step)).all(axis=1))
            stamp = table.stamps(np.array([series.start + end + step]))[0]
            what = f"{row(int(at[0]))}, {stamp}," if len(at) else f"{stamp}"
            raise DataError(
                f"{of}: {what} has no value in the {column}, said to be known ahead; give gatework predict a FILE with "
                f"the {counted(horizon, 'step')} to forecast, or a shorter --horizon"
            )


def newer(history: Panel, origins: Origins, plan: ForecastOptions) -> np.ndarray:
    """The origins between the end of a run's history and the first of others in a table that may be newer.

    Args:
        history: What the run kept.
        origins: The others.
        plan: Says how many origins of each series and target there may be.

    Returns:
        As `Origins.index`, shape (found, 3).
    """
    ends = {s.id: s.start + len(s) for s in history.series}
    joined = []
    pairs, group = np.unique(origins.index[:, :2], axis=0, return_inverse=True)
    firsts = np.full(len(pairs), np.iinfo(np.int64).max)
    np.minimum.at(firsts, group.reshape(-1), origins.index[:, 2])
    for (number, target), first in zip(pairs, firsts.tolist(), strict=True):
        series = origins.table.series[number]
        start = max(ends.get(series.id, series.start + first) - series.start, 1)
        steps = np.arange(start, first)[:: -(-max(first - start, 1) // plan.max_origins)]
        joined.append(np.stack([np.full_like(steps, number), np.full_like(steps, target), steps], axis=1))
    return np.concatenate(joined)
