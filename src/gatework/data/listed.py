"""Series that a caller gives as such: numbers in lists, arrays, or lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gatework.data.inputs import RaggedSeries, SeriesInputs
from gatework.data.numbers import LARGEST, NumberReader
from gatework.data.reading import Reading
from gatework.errors import DataError


def listed(source: Sequence[Any]) -> SeriesInputs | RaggedSeries:
    """One series as a list of numbers; or several, each of shape (steps,) or (steps, variables), of any length.

    Raises:
        DataError: Something else is among them, or they have not the same variables.
    """
    try:
        several = [source] if all(np.ndim(one) == 0 for one in source) else source
        series = [np.asarray(one, dtype=np.float64) for one in several]
    except (TypeError, ValueError):
        raise DataError(
            "a series is a list of numbers, or of one number for each variable at every step; the list holds others"
        ) from None
    series = [one[:, np.newaxis] if one.ndim == 1 else one for one in series]
    shapes = {one.shape[1:] for one in series}
    if len(shapes) > 1 or len(*shapes) != 1:
        raise DataError("each step of a series has a number for each variable, and the listed series differ in that")
    empty = next((number for number, one in enumerate(series) if not one.size), None)
    if empty is not None:
        raise DataError(f"series {empty} (counted from 0) has no steps")
    if len({len(one) for one in series}) == 1:
        return array(np.stack(series))
    for number, one in enumerate(series):
        _check(one[np.newaxis], number)
    return RaggedSeries.of(series)


def of_lines(lines: Sequence[str]) -> SeriesInputs:
    """One series per line, its numbers separated by spaces, commas or semicolons; all of the same length."""
    rows: list[list[float]] = []
    read = NumberReader(Reading())
    for number, line in enumerate(lines, start=1):
        fields = line.replace(",", " ").replace(";", " ").split()
        values = [(field, read(field)) for field in fields]
        wrong = next((field for field, value in values if value is None), None)
        if wrong is not None:
            raise DataError(
                f'series {number}: "{wrong[:40]}" is no number; numbers with spaces or commas between were expected'
            )
        rows.append([value for _, value in values if value is not None])
        if not rows[-1] or len(rows[-1]) != len(rows[0]):
            raise DataError(f"series {number} has {len(rows[-1])} numbers, expected {len(rows[0]) or 'at least one'}")
    return array(np.array(rows, dtype=np.float64).reshape(len(rows), len(rows[0]) if rows else 0))


def array(values: np.ndarray) -> SeriesInputs:
    """Values of shape (examples, time) or (examples, time, input) as float64 of the latter shape.

    Raises:
        DataError: They have another shape, or one is no finite number.
    """
    values = values[..., np.newaxis] if values.ndim == 2 else values
    if values.ndim != 3:
        raise DataError(f"expected an array of shape (examples, time) or (examples, time, input), not {values.shape}")
    _check(values)
    return SeriesInputs.of(values.astype(np.float64))


def _check(values: np.ndarray, first: int = 0) -> None:
    with np.errstate(invalid="ignore"):
        bad = np.argwhere(~(np.abs(values) <= LARGEST))
    if len(bad):
        raise DataError(f"series {first + bad[0][0]}, step {bad[0][1]} (both counted from 0) is not a finite number")
