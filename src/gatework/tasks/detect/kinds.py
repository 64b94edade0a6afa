"""What kind of departure a flagged row belongs to, named by the shape that explains most of it so far.

The departure is what the values are beyond their usual level, or beyond those of the days before where the rows show
days, less the usual deviation from that. Over the rows from shortly before the span to the row itself a step, a ramp
and a spike are each fitted by least squares, with the onset that fits best; the kind is the shape that explains the
largest share of the departure's squares, and "pattern" where none explains half of it: the values are usual, but not
in this order or at this time. A value that is repeated for too long is "stuck", whatever its level, and what shows only
against the other columns is "relation". As a span grows its kind may become clearer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

KINDS = ("spike", "level shift", "drift", "stuck", "pattern", "relation")
"""The kinds, by their numbers."""
STUCK, _PATTERN, RELATION = 3, 4, 5
# Rows that are kept, rows before a span that belong to its departure, and rows that the usual level is taken from.
_KEPT, _BEFORE, _USUAL = 1500, 96, 400
# How many rows a spike has at most, and which share of the departure a shape must explain.
_SPIKE_ROWS, _CLEAR = 3, 0.5
_DAY = 86_400_000_000


class KindWatch:
    """Names the kinds of one series' flagged rows, row by row in constant memory.

    Args:
        variables: Watched columns.
        periods: Of the clock, in seconds.
        gap: Flagged rows with at most so many others between them are one span.
    """

    def __init__(self, variables: int, periods: Sequence[int], gap: int) -> None:
        self.has_days, self.gap = _DAY // 1_000_000 in periods, gap
        self._values, self._stamps = np.zeros((0, variables)), np.zeros(0, dtype=np.int64)
        self._flags = np.zeros(0, dtype=bool)

    def run(
        self, values: np.ndarray, stamps: np.ndarray, is_flagged: np.ndarray, causes: np.ndarray, known: np.ndarray
    ) -> np.ndarray:
        """Takes in the rows that come next.

        Args:
            values: Standardised, shape (rows, variables), NaN where missing.
            stamps: Microseconds since 1970, shape (rows,).
            is_flagged: Which rows are flagged, shape (rows,).
            causes: The variable of each row's score, shape (rows,).
            known: The kind of each row that is told by what flagged it, -1 where its shape tells it, shape (rows,).

        Returns:
            The number of each flagged row's kind, -1 for other rows, shape (rows,).
        """
        before = len(self._flags)
        self._values = np.concatenate([self._values, values])
        self._stamps = np.concatenate([self._stamps, stamps])
        self._flags = np.concatenate([self._flags, is_flagged])
        kinds = np.full(len(values), -1)
        for row in np.flatnonzero(is_flagged):
            kinds[row] = known[row] if known[row] >= 0 else self._kind(before + int(row), int(causes[row]))
        self._values, self._stamps = self._values[-_KEPT:], self._stamps[-_KEPT:]
        self._flags = self._flags[-_KEPT:]
        return kinds

    def _kind(self, row: int, variable: int) -> int:
        oldest = max(row + 1 - _KEPT, 0)
        values, flags = self._values[oldest : row + 1, variable], self._flags[oldest : row + 1]
        first = _start(flags, self.gap)
        begin = max(first - _BEFORE, 0)
        return shape(self._departure(values, flags, self._season(oldest, row), first)[begin:])

    def _season(self, oldest: int, row: int) -> int:
        """Rows of a day, 0 where the rows kept do not show two before this one."""
        steps = np.diff(self._stamps[oldest : row + 1])
        step = float(np.median(steps)) if self.has_days and len(steps) else 0.0
        season = round(_DAY / step) if step > 0 else 0
        return season if season > 3 and 2 * season + _BEFORE < row + 1 - oldest else 0

    def _departure(self, values: np.ndarray, flags: np.ndarray, season: int, first: int) -> np.ndarray:
        """What the values are beyond what is usual, 0 where that is not known."""
        is_usual = ~flags & ~np.isnan(values)
        usual = values[:first][is_usual[:first]][-_USUAL:]
        level = float(usual.mean()) if len(usual) else 0.0
        rest = values - level
        if season:
            total, count = np.zeros(len(values)), np.zeros(len(values))
            for back in (season, 2 * season):
                total[back:] += np.where(is_usual, values, 0.0)[:-back]
                count[back:] += is_usual[:-back]
            rest = np.where(count > 0, values - total / np.maximum(count, 1), rest)
        rest = np.nan_to_num(rest, nan=0.0)
        before = rest[:first][is_usual[:first]][-_USUAL:]
        noise = float(before.std()) if len(before) else 0.0
        return np.sign(rest) * np.maximum(np.abs(rest) - noise, 0.0)


def _start(flags: np.ndarray, gap: int) -> int:
    """Where the span begins that the last row belongs to."""
    rows = np.flatnonzero(flags)
    breaks = np.flatnonzero(np.diff(rows) > gap + 1)
    return int(rows[breaks[-1] + 1] if len(breaks) else rows[0])


def shape(departure: np.ndarray) -> int:
    """The number of the kind that a departure is, by the shape that explains most of its squares.

    Args:
        departure: What the values are beyond what is usual, from before the span to its last row, shape (rows,).
    """
    energy = float(departure @ departure)
    if energy == 0:
        return _PATTERN
    rows = len(departure)
    place = np.arange(rows)
    count = rows - place
    # Sums over the rows from each onset on.
    sums = np.cumsum(departure[::-1])[::-1]
    ramps = np.cumsum((place * departure)[::-1])[::-1] - (place - 1) * sums
    squares = count * (count + 1) * (2 * count + 1) / 6
    spikes = np.convolve(departure**2, np.ones(min(_SPIKE_ROWS, rows)))
    shares = np.array([spikes.max(), (sums**2 / count).max(), (ramps**2 / squares).max()]) / energy
    # Of equals the first: a shift that has lasted for no more rows than a spike is told as one.
    best = int(np.argmax(shares + 1e-9 * np.arange(3)[::-1]))
    return best if shares[best] >= _CLEAR else _PATTERN
