"""Rows at numbered steps to regular series, all at once: gaps and missing values by rules that never look ahead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np

from gatework.data._columns import Columns
from gatework.data._step_rows import Naming, StepRows, rows_in_words
from gatework.data.filling import forward_filled_within
from gatework.errors import DataError
from gatework.options import TimeOptions

# A series may have so many steps whatever its rows, and so many for each row beyond that.
MOST_STEPS, _STEPS_PER_ROW = 100_000, 1000


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


@dataclass(frozen=True)
class _Steps:
    """Which steps each series has, end to end, and then those of its future.

    Attributes:
        starts: The position of each one's first step, shape (series,).
        steps: How many steps each has, shape (series,).
        totals: The same with those of its future, shape (series,).
    """

    starts: np.ndarray
    steps: np.ndarray
    totals: np.ndarray

    @property
    def offsets(self) -> np.ndarray:
        """Where each series begins among all steps, shape (series,)."""
        return np.cumsum(self.totals) - self.totals

    @property
    def is_step(self) -> np.ndarray:
        """Which of all steps are none of the future, shape (all steps,)."""
        return np.arange(int(self.totals.sum())) < np.repeat(self.offsets + self.steps, self.totals)


@dataclass(frozen=True)
class StepLayout(_Steps):
    """Regular series end to end: the steps of each, and then those of its future.

    Attributes:
        codes: The number of each, shape (series,).
        values: The targets, NaN in the future, shape (all steps, targets); this and all others as `Series` has them.
        observed: Shape (all steps, targets).
        known: Shape (all steps, known).
        past: NaN in the future, shape (all steps, past).
        static: Shape (series, static).
    """

    codes: np.ndarray
    values: np.ndarray
    observed: np.ndarray
    known: np.ndarray
    past: np.ndarray
    static: np.ndarray

    def series(self, ids: Sequence[tuple[str, ...]]) -> list[Series]:
        """Each series by itself, given the id of each number."""
        series = []
        for number, (code, first) in enumerate(zip(self.codes.tolist(), self.offsets.tolist(), strict=True)):
            here = slice(first, first + int(self.steps[number]))
            known = self.known[first : first + int(self.totals[number])]
            arrays = (self.values[here], self.observed[here], known, self.past[here], self.static[number])
            series.append(Series(ids[code], int(self.starts[number]), *arrays))
        return series


def laid_out(
    rows: StepRows,
    ids: Sequence[tuple[str, ...]],
    columns: Columns,
    config: TimeOptions,
    naming: Naming,
    end: int | None = None,
) -> tuple[StepLayout, Counter[str]]:
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
    where, parts = columns.slices(), _Parts(rows, ids, columns, naming)
    has_target = ~np.isnan(rows.values[:, where["targets"]]).all(axis=1)
    # Where no row means zero, every series goes on to the table's last step.
    last = int(rows.positions[has_target].max(initial=rows.positions[0])) if end is None else end
    end = last if config.missing == "zero" and has_target.any() else None
    parts.check_sizes(end)
    span = parts.span(has_target, end)
    full, is_there = span.spread(rows)
    is_step, observed = span.is_step, ~np.isnan(full[:, where["targets"]])
    known, counts = full[:, where["known"]], Counter[str]()
    counts.update(leading=int((span.first - parts.firsts).sum()), steps=int((~is_there & is_step).sum()))
    counts.update(values=int((~observed[is_there & is_step]).sum()), known=int(np.isnan(known[is_step]).sum()))
    counts.update(ahead=int((span.totals - span.steps).sum()))
    if config.missing == "error" and not observed[is_step].all():
        _refuse_gap(parts, span, ~observed & is_step[:, None])
    if np.isnan(known[~is_step]).any():
        _refuse_unknown(parts, span, np.isnan(known) & ~is_step[:, None], is_there)
    values = full[:, where["targets"]]
    if config.missing == "zero":
        values, observed = np.nan_to_num(values), np.repeat(is_step[:, None], values.shape[1], axis=1)
    layout = StepLayout(
        span.starts,
        span.steps,
        span.totals,
        parts.codes,
        _without_future(forward_filled_within(values, span.offsets), is_step),
        observed,
        forward_filled_within(known, span.offsets),
        _without_future(forward_filled_within(full[:, where["past"]], span.offsets), is_step),
        parts.static(span.first, where["static"]),
    )
    return layout, counts


def _without_future(values: np.ndarray, is_step: np.ndarray) -> np.ndarray:
    """Values that are NaN in the future."""
    return values if is_step.all() else np.where(is_step[:, None], values, np.nan)


@dataclass(frozen=True)
class _Span(_Steps):
    """Which steps each series has, and in which rows they stand.

    Attributes:
        first: The first of its rows that counts, shape (series,), as the other.
        last: The row after its last.
    """

    first: np.ndarray
    last: np.ndarray

    def spread(self, rows: StepRows) -> tuple[np.ndarray, np.ndarray]:
        """The values of every step, NaN where there is no row, and where there is one."""
        total, counts = int(self.totals.sum()), self.last - self.first
        if total == len(rows.codes) == int(counts.sum()):
            # One row for each step, as in most tables.
            return rows.values, np.ones(total, dtype=bool)
        chosen = np.arange(len(rows.codes)) >= np.repeat(self.first, np.diff(self.last, prepend=0))
        full, is_there = np.full((total, rows.values.shape[1]), np.nan), np.zeros(total, dtype=bool)
        places = rows.positions[chosen] + np.repeat(self.offsets - self.starts, counts)
        full[places], is_there[places] = rows.values[chosen], True
        return full, is_there


class _Parts:
    """Where the rows of each series stand.

    Args:
        rows: One row per series and step, sorted.
        ids: The id of each code.
        columns: The columns by role.
        naming: How messages call things.
    """

    def __init__(self, rows: StepRows, ids: Sequence[tuple[str, ...]], columns: Columns, naming: Naming) -> None:
        self.rows, self.columns, self._ids, self._naming = rows, columns, ids, naming
        self.firsts = np.flatnonzero(np.diff(rows.codes, prepend=rows.codes[0] - 1))
        self.ends = np.append(self.firsts[1:], len(rows.codes))
        self.codes = rows.codes[self.firsts]

    def naming(self, number: int) -> Naming:
        """How messages call things of a series."""
        name = self._ids[int(self.codes[number])]
        source = f"{self._naming.source}, series {', '.join(name)}" if name else self._naming.source
        return replace(self._naming, source=source)

    def check_sizes(self, end: int | None) -> None:
        """Refuses a series of far more steps than rows, as one mistyped year makes."""
        positions = self.rows.positions
        last, count = positions[self.ends - 1], self.ends - self.firsts
        steps = (np.maximum(last, end) if end else last) - positions[self.firsts] + 1
        is_long = steps > np.maximum(MOST_STEPS, _STEPS_PER_ROW * count)
        if not is_long.any():
            return
        number = int(np.argmax(is_long))
        gaps = np.diff(positions[self.firsts[number] : self.ends[number]])
        at, naming = int(np.argmax(gaps)) + 1 if len(gaps) else 0, self.naming(number)
        if at < int(count[number]) - at:
            at = max(at - 1, 0)  # the few rows are those before the gap
        at += int(self.firsts[number])
        raise DataError(
            f"{naming.source}: {rows_in_words(int(count[number]))} stretch over {int(steps[number]):,} steps, as "
            f"{naming.row(int(self.rows.index[at]))} is of {naming.step(int(positions[at]))}; mend that time, or name "
            "a longer step by --frequency"
        )

    def span(self, has_target: np.ndarray, end: int | None) -> _Span:
        """Which steps each series has: from its first target to its last, or to a step that all go on to.

        Args:
            has_target: Which rows have one.
            end: That step.
        """
        first, last = self.firsts, self.ends - 1
        if not has_target.all():
            place = np.arange(len(has_target))
            last = np.maximum.reduceat(np.where(has_target, place, -1), self.firsts)
            first = np.minimum.reduceat(np.where(has_target, place, len(place)), self.firsts)
            if (last < 0).any():
                raise DataError(
                    f'{self.naming(int(np.argmax(last < 0))).source}: the column "{self.columns.targets[0]}" holds no '
                    "value; at least two are needed"
                )
        positions = self.rows.positions
        starts = positions[first]
        steps = (positions[last] if end is None else np.full(len(first), end)) - starts + 1
        totals = np.maximum(positions[self.ends - 1] - starts + 1, steps)
        return _Span(starts, steps, totals, first, self.ends)

    def static(self, first: np.ndarray, where: slice) -> np.ndarray:
        """What never changes of each series, given the first of its rows that counts."""
        values = self.rows.values[:, where]
        kept = values[first]
        of_rows = np.repeat(kept, self.ends - self.firsts, axis=0)
        counts = np.arange(len(values)) >= np.repeat(first, self.ends - self.firsts)
        is_wrong = counts[:, None] & (np.isnan(values) | (values != of_rows))
        if is_wrong.any():
            number = int(np.searchsorted(self.ends, int(np.argmax(is_wrong.any(axis=1))), side="right"))
            self._refuse_static(number, slice(int(first[number]), int(self.ends[number])), where)
        return kept

    def _refuse_static(self, number: int, part: slice, where: slice) -> NoReturn:
        naming, index = self.naming(number), self.rows.index[part]
        values = self.rows.values[part, where]
        is_wrong = np.isnan(values) | (values != values[0])
        k = int(np.argmax(is_wrong.any(axis=0)))
        column = f'{naming.source}, column "{self.columns.features(self.columns.static)[k]}"'
        is_empty = np.isnan(values[:, k])
        if is_empty.any():
            at = naming.row(int(index[np.argmax(is_empty)]))
            raise DataError(f"{column}: {at} is empty; a static column is always given")
        at, first = naming.row(int(index[np.argmax(is_wrong[:, k])])), naming.row(int(index[0]))
        raise DataError(
            f"{column}: {at} differs from {first}; a static column never changes within a series; name it by "
            "--past or --known instead"
        )


def _first(span: _Span, is_wrong: np.ndarray) -> tuple[int, int, int, int]:
    """The series, the position, the place and the column of the first of all steps that is wrong."""
    place, column = (int(each) for each in np.argwhere(is_wrong)[0])
    number = int(np.searchsorted(span.offsets, place, side="right")) - 1
    return number, int(span.starts[number]) + place - int(span.offsets[number]), place, column


def _refuse_gap(parts: _Parts, span: _Span, is_missing: np.ndarray) -> NoReturn:
    number, position, _, column = _first(span, is_missing)
    naming = parts.naming(number)
    raise DataError(
        f'{naming.source}: {naming.step(position)} has no value in the column "{parts.columns.targets[column]}" and '
        "--missing is error; fill it in, or name the rule previous or zero"
    )


def _refuse_unknown(parts: _Parts, span: _Span, is_unknown: np.ndarray, is_there: np.ndarray) -> NoReturn:
    number, position, place, column = _first(span, is_unknown)
    naming, name = parts.naming(number), parts.columns.features(parts.columns.known)[column]
    what = f'has no value in the column "{name}"' if is_there[place] else "has no row"
    raise DataError(
        f"{naming.source}: {naming.step(position)} {what}; what is known ahead must be given for every step of the "
        "future"
    )
