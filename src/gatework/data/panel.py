"""A person's long-format table with a time column, to one regular series per id.

What is irregular in the table is found, told in the notes, and handled by the rules of `TimeOptions`:

- stamps off the grid go to the nearest step; where a step is named, days, weeks, months, quarters and years are the
  calendar's;
- rows of one step are put together by `duplicates`; where that is "error", rows at different times are averaged, rows
  that are equal in every column used are dropped, and others are an error;
- steps and values that are not there follow `missing`, which never looks ahead: a value that is filled in depends on
  nothing later than itself;
- steps shorter than a day are counted in UTC where the zone is known, so that a change of clocks neither makes nor
  loses one; days and longer ones follow the local calendar.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import polars as pl

from gatework.data._columns import Columns, matrix, roles, series_of, unused_notes
from gatework.data._layout import Series, laid_out
from gatework.data._step_rows import Naming, StepRows, one_row_per_step
from gatework.data.frequency import DAY, HOUR, Frequency, Grid, infer
from gatework.data.reading import Reading
from gatework.data.tables import Table
from gatework.data.time_formats import TIME_OF_DAY
from gatework.data.timestamps import Stamps, read_stamps
from gatework.errors import DataError
from gatework.formatting import counted, listed
from gatework.options import TimeOptions

_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_FEWEST_REST_DAYS, _NEARLY_ALL = 8, 0.9
_LOOKED_AT = 20

__all__ = ["Columns", "Panel", "Series", "read_panel"]


@dataclass(frozen=True)
class Panel:
    """Regular series of one frequency.

    Attributes:
        series: The series, sorted by their first rows.
        grid: The numbered steps.
        zone: The zone of the table's clock; None where none is known.
        columns: What the columns of the arrays are.
        rows: For each row of the source its series and its step within it, shape (rows, 2), int64. A step below 0 or
            not below the series' length is not part of it.
        notes: What was found and how it was handled, one sentence each.
        reading: How the table's texts became values, so that a newer table is read likewise.
    """

    series: tuple[Series, ...]
    grid: Grid
    zone: str | None
    columns: Columns
    rows: np.ndarray
    notes: tuple[str, ...] = ()
    reading: Reading = field(default_factory=Reading)

    @cached_property
    def learnt(self) -> dict[Hashable, Any]:
        """What was learnt from it, by a key of whoever learnt it, so that it is learnt once; gone with it."""
        return {}

    @property
    def frequency(self) -> Frequency:
        """The step."""
        return self.grid.frequency

    def stamps(self, positions: np.ndarray) -> pl.Series:
        """The times of grid positions, shape (positions,), as dates or datetimes on the table's own clock."""
        return clock_times(self.grid, self.zone, positions)


def clock_times(grid: Grid, zone: str | None, positions: np.ndarray) -> pl.Series:
    """The times of grid positions, shape (positions,): dates, or datetimes, with the zone where it is known."""
    raw = pl.Series("time", grid.stamps(np.asarray(positions, dtype=np.int64))).cast(pl.Datetime("us"))
    if grid.frequency.is_daily_or_longer:
        return raw.cast(pl.Date) if grid.anchor % DAY == 0 else raw
    return raw if zone is None else raw.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)


def read_panel(table: Table, config: TimeOptions, targets: Sequence[str], like: Panel | None = None) -> Panel:
    """Reads a table with a time column.

    Args:
        table: The rows, in any order; columns may be texts.
        config: What the columns are, and the rules.
        targets: The columns to predict or watch.
        like: The table that a model was trained on: its grid, categories and reading are used.

    Raises:
        UsageError: A setting is wrong or a column is not named.
        DataError: The table cannot be used; the sentence names the row and the column.
    """
    source, row = table.where, table.row
    columns = roles(table.frame, config, targets, source)
    if not len(table):
        raise DataError(f"{source} holds no rows; a table with a time column and at least two rows was expected")
    given = Reading.given(time=config)
    table = table.deciding(columns.numbers, like.reading if like else None, given)
    frame, reading = table.frame, table.reading
    known = [s.id for s in like.series] if like else ()
    codes, ids = series_of(frame, columns.ids, source, row, known)
    is_kept = like is not None and config.time_format is None
    stamps = read_stamps(frame[columns.time], codes, source=source, row=row, reading=reading, is_kept=is_kept)
    grid, clock = grid_of(stamps, codes, config, f'{source}, column "{columns.time}"', like)
    positions, distance = grid.positions(clock)
    columns, values = matrix(frame, columns, source, row, None if like is None else like.columns, reading)
    naming = Naming(source, row, partial(_step, grid, stamps.zone), _clock_column(frame, columns))
    rows = StepRows(codes, positions, distance, values, np.arange(len(frame)))
    is_clock = stamps.moments is None and not grid.frequency.is_daily_or_longer
    rows, notes = one_row_per_step(rows, config.duplicates, columns, naming, is_clock)
    layout, counts = laid_out(rows, ids, columns, config, naming)
    series = layout.series(ids)
    is_inferred = config.frequency is None and like is None
    notes = [
        *table.notes,
        *(() if like else unused_notes(frame.columns, columns)),
        *stamps.notes,
        *grid_notes(grid, distance, columns.time, is_inferred),
        *notes,
        *_clock_notes(grid, stamps, clock, codes),
        *fill_notes(counts, config),
        *(() if like or config.missing == "zero" else _rest_days(series, grid, stamps.zone)),
    ]
    where = np.stack([codes, positions - np.array([s.start for s in series])[codes]], axis=1)
    reading = replace(reading, time_format=stamps.format or reading.time_format)
    return Panel(tuple(series), grid, stamps.zone, columns, where, tuple(notes), reading)


def clock_of(stamps: Stamps, frequency: Frequency) -> np.ndarray:
    """What a grid counts of stamps: moments in UTC below a day where they are known, else the local clock.

    Returns:
        Microseconds, shape (rows,), int64.
    """
    return stamps.local if frequency.is_daily_or_longer or stamps.moments is None else stamps.moments


def grid_of(
    stamps: Stamps, codes: np.ndarray, config: TimeOptions, where: str, like: Panel | None = None
) -> tuple[Grid, np.ndarray]:
    """The grid, and the clock of the stamps that it counts, shape (rows,), as are the codes of their series."""
    if like is not None:
        return like.grid, clock_of(stamps, like.frequency)
    finest = stamps.local if stamps.moments is None else stamps.moments
    if config.frequency is not None:
        frequency = Frequency.parse(config.frequency)
    else:
        order = _by_series_and_time(codes, finest)
        frequency = infer(finest[order], codes[order], where)
        if stamps.moments is not None and frequency.kind == "time" and frequency.size >= DAY - HOUR:
            # A local midnight is 23 to 25 hours after the one before it.
            order = _by_series_and_time(codes, stamps.local)
            frequency = infer(stamps.local[order], codes[order], where)
    clock = clock_of(stamps, frequency)
    return Grid.fit(frequency, clock, is_named=config.frequency is not None), clock


def _clock_column(frame: pl.DataFrame, columns: Columns) -> str:
    """The first column without a role whose first rows are times of day; nothing where there is none."""
    unused = [name for name in frame.columns if name not in (columns.time, *columns.ids, *columns.numbers)]
    texts = (frame[name].head(_LOOKED_AT) for name in unused if frame.schema[name] == pl.String)
    return next((str(text.name) for text in texts if len(text) and text.str.contains(TIME_OF_DAY).all()), "")


def _by_series_and_time(codes: np.ndarray, stamps: np.ndarray) -> np.ndarray | slice:
    """What brings rows into this order; nothing where they are in it already."""
    is_next = (codes[1:] > codes[:-1]) | ((codes[1:] == codes[:-1]) & (stamps[1:] >= stamps[:-1]))
    return slice(None) if is_next.all() else np.lexsort((stamps, codes))


def _step(grid: Grid, zone: str | None, position: int) -> str:
    return str(clock_times(grid, zone, np.array([position]))[0])


def grid_notes(grid: Grid, distance: np.ndarray, column: str, is_inferred: bool) -> list[str]:
    """What a reader should know of how stamps became steps, by how far each lay from its own, shape (rows,)."""
    notes = [f"The step is {grid.frequency.words}, found from the stamps."] if is_inferred else []
    off = np.abs(distance[distance != 0])
    if len(off) and (grid.is_calendar or grid.frequency.kind == "months"):
        notes.append(
            f'The rows of each step of {grid.frequency.words} by the clock of the column "{column}" were put together.'
        )
    elif len(off):
        notes.append(
            f'{len(off):,} of {len(distance):,} stamps in the column "{column}" lie off the grid of '
            f"{grid.frequency.words}, by up to {_duration(int(off.max()))}, and were moved to the nearest step."
        )
    return notes


def _clock_notes(grid: Grid, stamps: Stamps, clock: np.ndarray, codes: np.ndarray) -> list[str]:
    """A hint where a repeated hour in autumn and a left-out one in spring look like a change of clocks."""
    if stamps.moments is not None or grid.frequency.is_daily_or_longer:
        return []
    order = np.lexsort((clock, codes))
    gaps = np.diff(clock[order])[np.diff(codes[order]) == 0]
    at = clock[order][:-1][np.diff(codes[order]) == 0]
    month = at.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64) % 12
    is_sunday = (at // DAY + 3) % 7 == 6
    is_autumn = (gaps == 0) & np.isin(month, (9, 10)) & is_sunday
    is_spring = (gaps == HOUR + grid.frequency.size) & np.isin(month, (2, 3)) & is_sunday
    if not (is_autumn.any() and is_spring.any()):
        return []
    return ["An hour repeated in autumn and one left out in spring look like a change of clocks; name the --time-zone."]


def fill_notes(counts: Mapping[str, int], config: TimeOptions) -> list[str]:
    """How many steps and values were not there."""
    by = "zero" if config.missing == "zero" else "the previous value, for input only"
    told = {
        "leading": ("row", " before the first value of their series {} left out."),
        "steps": ("step", f" without a row {{}} filled by {by}."),
        "values": ("missing value", f" {{}} filled by {by}."),
        "known": ("missing value", " of columns known ahead {} filled by the previous value."),
    }
    notes = [
        counted(counts[name], noun) + rest.format("was" if counts[name] == 1 else "were")
        for name, (noun, rest) in told.items()
        if counts[name]
    ]
    if ahead := counts["ahead"]:
        notes.append(
            f"{counted(ahead, 'step')} after the last value of their series {'is' if ahead == 1 else 'are'} the future."
        )
    return notes


def _rest_days(series: Sequence[Series], grid: Grid, zone: str | None) -> tuple[str, ...]:
    """That nearly all days without a value are of one or two days of the week, as where shops are closed."""
    if grid.frequency.kind != "time" or grid.frequency.size != DAY:
        return ()
    left_out = np.concatenate([s.start + np.flatnonzero(~s.observed.any(axis=1)) for s in series])
    counts = np.bincount(clock_times(grid, zone, left_out).dt.weekday().to_numpy() - 1, minlength=7)
    order = np.argsort(-counts, kind="stable")
    for days in (order[:1], order[:2]):
        if counts[days].sum() >= max(_FEWEST_REST_DAYS, _NEARLY_ALL * len(left_out)):
            names = listed([_DAYS[day] for day in sorted(days)])
            return (f"Nearly all days without a value are {names}: --missing zero says that nothing happens then.",)
    return ()


def _duration(microseconds: int) -> str:
    for size, name in ((DAY, "days"), (HOUR, "hours"), (60_000_000, "minutes")):
        if microseconds >= size:
            return f"{microseconds / size:.3g} {name}"
    return f"{microseconds / 1e6:.3g} seconds"
