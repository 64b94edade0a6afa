"""Rows at numbered steps to regular series: duplicates, gaps and missing values by rules that never look ahead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from gatework.data._columns import Columns
from gatework.data.filling import forward_filled
from gatework.errors import DataError
from gatework.options import TimeOptions

# A series may have so many steps whatever its rows, and so many for each row beyond that.
MOST_STEPS, _STEPS_PER_ROW = 100_000, 1000


@dataclass(frozen=True)
class Naming:
    """How messages call things.

    Attributes:
        source: The file.
        row: A row, given its position in the source.
        step: A step, given its position on the grid.
    """

    source: str
    row: Callable[[int], str]
    step: Callable[[int], str]


@dataclass(frozen=True)
class StepRows:
    """The rows of a table, as numbers.

    Attributes:
        codes: The series of each, int64.
        positions: The step of each, int64.
        distance: How far its stamp lies from its step, microseconds, int64.
        values: Its numbers, shape (rows, features), float64, NaN where missing.
        index: Its position in the source.
    """

    codes: np.ndarray
    positions: np.ndarray
    distance: np.ndarray
    values: np.ndarray
    index: np.ndarray

    def take(self, chosen: np.ndarray) -> StepRows:
        """Some rows, in this order."""
        return StepRows(
            self.codes[chosen],
            self.positions[chosen],
            self.distance[chosen],
            self.values[chosen],
            self.index[chosen],
        )


@dataclass(frozen=True)
class Series:
    """One regular series.

    Attributes:
        id: Its value in each column that tells series apart; empty where the table is one series.
        start: The position of its first step on the table's grid.
        values: The targets, shape (steps, targets), float64, filled by the rule, so never missing.
        observed: Which of them the table held, or the rule "zero" made, shape (steps, targets).
        known: Columns known ahead, shape (steps + ahead, known), float64; rows after the last target are the future.
        past: Columns known up to now, shape (steps, past), float64, filled by the rule.
        static: Columns that never change, shape (static,), float64.
    """

    id: tuple[str, ...]
    start: int
    values: np.ndarray
    observed: np.ndarray
    known: np.ndarray
    past: np.ndarray
    static: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    @property
    def name(self) -> str:
        """The id in one text."""
        return ", ".join(self.id)


def one_row_per_step(
    rows: StepRows, rule: str, columns: Columns, naming: Naming, is_clock: bool
) -> tuple[StepRows, list[str]]:
    """Sorts rows by series and step and puts those of one step together.

    Args:
        rows: The rows, in any order.
        rule: What stands for rows of one series at the same time that differ.
        columns: What their values are.
        naming: How messages call things.
        is_clock: Whether the stamps are times of a clock whose zone is unknown, and which may have been put back.

    Returns:
        The rows, one per series and step, and what was done, in sentences.

    Raises:
        DataError: StepRows of one series at the same time differ and the rule is "error".
    """
    rows = rows.take(np.lexsort((rows.index, rows.distance, rows.positions, rows.codes)))
    same_step = (np.diff(rows.codes) == 0) & (np.diff(rows.positions) == 0)
    if not same_step.any():
        return rows, []
    if rule != "error":
        note = f"{_rows(int(same_step.sum()) + 1)} or more of one step were put together by their {rule}."
        return _together(rows, same_step, rule, columns), [note]
    notes = []
    is_equal = same_step & (np.diff(rows.distance) == 0)
    is_equal &= _equal(rows.values[1:], rows.values[:-1]).all(axis=1)
    if is_equal.any():
        notes.append(f"{_rows(int(is_equal.sum()))} that repeat another one in every column used were dropped.")
        rows = rows.take(np.flatnonzero(~np.concatenate([[False], is_equal])))
        same_step = (np.diff(rows.codes) == 0) & (np.diff(rows.positions) == 0)
    clash = same_step & (np.diff(rows.distance) == 0)
    if clash.any():
        raise _clash(rows, int(np.argmax(clash)), columns, naming, is_clock)
    if same_step.any():
        count = _rows(int(same_step.sum()) + 1)
        notes.append(f"{count} or more at different times of one step were put together by their mean.")
        rows = _together(rows, same_step, "mean", columns)
    return rows, notes


def _clash(rows: StepRows, at: int, columns: Columns, naming: Naming, is_clock: bool) -> DataError:
    feature = int(np.argmax(~_equal(rows.values[at], rows.values[at + 1])))
    every = columns.features((*columns.targets, *columns.known, *columns.past, *columns.static))
    first, second = (naming.row(k) for k in sorted((int(rows.index[at]), int(rows.index[at + 1]))))
    apart = "by --series" if not columns.ids else f"by --series beside {', '.join(columns.ids)}"
    zone = "the --time-zone, if the clocks were put back then, " if is_clock else ""
    return DataError(
        f"{naming.source}: {first} and {second} are both of {naming.step(int(rows.positions[at]))} and differ in the "
        f'column "{every[feature]}"; name {zone}the columns that tell series apart {apart}, or a rule by --duplicates '
        "(mean, sum, first or last)"
    )


def _together(rows: StepRows, same_step: np.ndarray, how: str, columns: Columns) -> StepRows:
    """One row per step; a sum is one of targets alone, and what else is known of a step is its mean."""
    starts = np.flatnonzero(~np.concatenate([[False], same_step]))
    chosen = np.append(starts[1:], len(rows.codes)) - 1 if how == "last" else starts
    values = rows.values[chosen].copy()
    if how in ("mean", "sum"):
        present = ~np.isnan(rows.values)
        total = np.add.reduceat(np.where(present, rows.values, 0.0), starts, axis=0)
        count = np.add.reduceat(present.astype(np.int64), starts, axis=0)
        values = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        if how == "sum":
            targets = columns.slices()["targets"]
            values[:, targets] = np.where(count > 0, total, np.nan)[:, targets]
    return StepRows(rows.codes[starts], rows.positions[starts], rows.distance[starts], values, rows.index[starts])


def regular(
    rows: StepRows,
    ids: Sequence[tuple[str, ...]],
    columns: Columns,
    config: TimeOptions,
    naming: Naming,
    end: int | None = None,
) -> tuple[list[Series], Counter[str]]:
    """Lays the rows of each series out at every step.

    Args:
        rows: One row per series and step, sorted.
        ids: The id of each code.
        columns: The columns by role.
        config: The rules.
        naming: How messages call things.
        end: The last step of the whole table that has a value, where these rows are not all of it.

    Returns:
        The series, and how many steps and values were not there.

    Raises:
        DataError: Something is missing and the rule is "error", or it is a value that must be there.
    """
    bounds = [0, *(np.flatnonzero(np.diff(rows.codes)) + 1).tolist(), len(rows.codes)]
    has_target = ~np.isnan(rows.values[:, columns.slices()["targets"]]).all(axis=1)
    # Where no row means zero, every series goes on to the table's last step.
    last = int(rows.positions[has_target].max(initial=rows.positions[0])) if end is None else end
    end = last if config.missing == "zero" and has_target.any() else None
    table, counts = [], Counter[str]()
    for low, high in pairwise(bounds):
        part = rows.take(np.arange(low, high))
        name = ids[int(part.codes[0])]
        of = replace(naming, source=f"{naming.source}, series {', '.join(name)}") if name else naming
        _check_size(part, end, of)
        table.append(_one(part, name, columns, config, of, counts, end))
    return table, counts


def _check_size(rows: StepRows, end: int | None, naming: Naming) -> None:
    """Refuses a series of far more steps than rows, as one mistyped year makes."""
    positions = rows.positions
    steps = max(int(positions[-1]), end or int(positions[-1])) - int(positions[0]) + 1
    if steps <= max(MOST_STEPS, _STEPS_PER_ROW * len(positions)):
        return
    gaps = np.diff(positions)
    at = int(np.argmax(gaps)) + 1 if len(gaps) else 0
    if at < len(positions) - at:
        at = max(at - 1, 0)  # the few rows are those before the gap
    raise DataError(
        f"{naming.source}: {_rows(len(positions))} stretch over {steps:,} steps, as {naming.row(int(rows.index[at]))} "
        f"is of {naming.step(int(positions[at]))}; mend that time, or name a longer step by --frequency"
    )


def _one(
    rows: StepRows,
    name: tuple[str, ...],
    columns: Columns,
    config: TimeOptions,
    naming: Naming,
    counts: Counter[str],
    end: int | None,
) -> Series:
    where = columns.slices()
    has_target = ~np.isnan(rows.values[:, where["targets"]]).all(axis=1)
    if not has_target.any():
        raise DataError(f'{naming.source}: the column "{columns.targets[0]}" holds no value; at least two are needed')
    first = int(np.argmax(has_target))
    last = len(has_target) - 1 - int(np.argmax(has_target[::-1]))
    start = int(rows.positions[first])
    steps = (int(rows.positions[last]) if end is None else end) - start + 1
    rows = rows.take(np.arange(first, len(rows.codes)))
    ahead = max(int(rows.positions[-1]) - start + 1, steps)
    full = np.full((ahead, rows.values.shape[1]), np.nan)
    present = np.zeros(ahead, dtype=bool)
    full[rows.positions - start], present[rows.positions - start] = rows.values, True
    observed = ~np.isnan(full[:steps, where["targets"]])
    counts.update(leading=first, steps=int((~present[:steps]).sum()), values=int((~observed[present[:steps]]).sum()))
    if config.missing == "error" and not observed.all():
        at, column = np.argwhere(~observed)[0]
        raise DataError(
            f"{naming.source}: {naming.step(start + int(at))} has no value in the column "
            f'"{columns.targets[column]}" and --missing is error; fill it in, or name the rule previous or zero'
        )
    if config.missing == "zero":
        values, observed = np.nan_to_num(full[:steps, where["targets"]]), np.ones_like(observed)
    else:
        values = forward_filled(full[:steps, where["targets"]])
    known = full[:, where["known"]]
    counts.update(known=int(np.isnan(known[:steps]).sum()), ahead=ahead - steps)
    known[:steps] = forward_filled(known[:steps])
    if np.isnan(known[steps:]).any():
        raise _unknown(known[steps:], start + steps, columns, present[steps:], naming)
    past = forward_filled(full[:steps, where["past"]])
    static = _static(rows, columns, where["static"], naming)
    return Series(name, start, values, observed, known, past, static)


def _unknown(ahead: np.ndarray, start: int, columns: Columns, present: np.ndarray, naming: Naming) -> DataError:
    at, column = np.argwhere(np.isnan(ahead))[0]
    name = columns.features(columns.known)[column]
    what = f'has no value in the column "{name}"' if present[at] else "has no row"
    return DataError(
        f"{naming.source}: {naming.step(start + int(at))} {what}; what is known ahead must be given for every step of "
        "the future"
    )


def _static(rows: StepRows, columns: Columns, where: slice, naming: Naming) -> np.ndarray:
    values = rows.values[:, where]
    for k, name in enumerate(columns.features(columns.static)):
        column = f'{naming.source}, column "{name}"'
        is_wrong = np.isnan(values[:, k])
        if is_wrong.any():
            at = naming.row(int(rows.index[np.argmax(is_wrong)]))
            raise DataError(f"{column}: {at} is empty; a static column is always given")
        is_wrong = values[:, k] != values[0, k]
        if is_wrong.any():
            at, first = naming.row(int(rows.index[np.argmax(is_wrong)])), naming.row(int(rows.index[0]))
            raise DataError(
                f"{column}: {at} differs from {first}; a static column never changes within a series; name it by "
                "--past or --known instead"
            )
    return values[0]


def _equal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a == b) | (np.isnan(a) & np.isnan(b))


def _rows(count: int) -> str:
    return f"{count:,} row{'s' if count > 1 else ''}"
