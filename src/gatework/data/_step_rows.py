"""Rows at numbered steps: sorted, and one of each series and step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gatework.data._columns import Columns
from gatework.errors import DataError


@dataclass(frozen=True)
class Naming:
    """How messages call things.

    Attributes:
        source: The file.
        row: A row, given its position in the source.
        step: A step, given its position on the grid.
        clock: A column that is not used and holds times of day, if there is one.
    """

    source: str
    row: Callable[[int], str]
    step: Callable[[int], str]
    clock: str = ""


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
        """The rows at these places, shape (chosen,), int64 or bool, in this order."""
        return StepRows(
            self.codes[chosen],
            self.positions[chosen],
            self.distance[chosen],
            self.values[chosen],
            self.index[chosen],
        )


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
        DataError: Rows of one series at the same time differ and the rule is "error".
    """
    if not _is_sorted(rows):
        rows = rows.take(np.lexsort((rows.index, rows.distance, rows.positions, rows.codes)))
    same_step = (np.diff(rows.codes) == 0) & (np.diff(rows.positions) == 0)
    if not same_step.any():
        return rows, []
    if rule != "error":
        note = f"{_sharing(same_step)} were put together by their {rule}."
        return _together(rows, same_step, rule, columns), [note]
    notes = []
    is_equal = same_step & (np.diff(rows.distance) == 0)
    is_equal &= _equal(rows.values[1:], rows.values[:-1]).all(axis=1)
    if is_equal.any():
        notes.append(f"{rows_in_words(int(is_equal.sum()))} that repeat another one in every column used were dropped.")
        rows = rows.take(np.flatnonzero(~np.concatenate([[False], is_equal])))
        same_step = (np.diff(rows.codes) == 0) & (np.diff(rows.positions) == 0)
    clash = same_step & (np.diff(rows.distance) == 0)
    if clash.any():
        raise _clash(rows, int(np.argmax(clash)), columns, naming, is_clock)
    if same_step.any():
        notes.append(f"{_sharing(same_step)}, at different times of it, were put together by their mean.")
        rows = _together(rows, same_step, "mean", columns)
    return rows, notes


def _is_sorted(rows: StepRows) -> bool:
    """Whether rows stand in the order of series, step, distance and place already, as those of most tables do."""
    is_tied = np.ones(max(len(rows.codes) - 1, 0), dtype=bool)
    for key in (rows.codes, rows.positions, rows.distance, rows.index):
        steps = np.diff(key)
        if (is_tied & (steps < 0)).any():
            return False
        is_tied &= steps == 0
        if not is_tied.any():
            return True
    return True


def _clash(rows: StepRows, at: int, columns: Columns, naming: Naming, is_clock: bool) -> DataError:
    feature = int(np.argmax(~_equal(rows.values[at], rows.values[at + 1])))
    every = columns.features((*columns.targets, *columns.known, *columns.past, *columns.static))
    first, second = (naming.row(k) for k in sorted((int(rows.index[at]), int(rows.index[at + 1]))))
    apart = "by --series" if not columns.ids else f"by --series beside {', '.join(columns.ids)}"
    zone = "the --time-zone, if the clocks were put back then, " if is_clock else ""
    if naming.clock:
        zone = f'one column with the day and the time of day, which "{naming.clock}" holds, '
    return DataError(
        f"{naming.source}: {first} and {second} are both of {naming.step(int(rows.positions[at]))} and differ in the "
        f'column "{every[feature]}"; name {zone}the columns that tell series apart {apart}, or a rule by --duplicates '
        "(mean, sum, first or last)"
    )


def _sharing(same_step: np.ndarray) -> str:
    """How many rows share their step with others, given which share it with the row before, in words."""
    count = int((np.append(same_step, False) | np.append(False, same_step)).sum())
    return f"{rows_in_words(count)} that share their step with others"


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


def _equal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a == b) | (np.isnan(a) & np.isnan(b))


def rows_in_words(count: int) -> str:
    """So many rows, for a message."""
    return f"{count:,} row{'s' if count > 1 else ''}"
