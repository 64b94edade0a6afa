"""Rules on the values alone, which judge beside the network's errors: outside a range, stuck, and a record.

A network that goes on from the row before soon expects a level that has shifted, and of a sensor that repeats its last
value the errors say little; of a column that rests in most rows they are almost 0, in a fault as well. What these rules
say is a ratio, above 1 where a value is anomalous, as that of error and threshold is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from gatework._stored import Stored
from gatework.data.filling import forward_filled
from gatework.tasks.detect.thresholds import Window

if TYPE_CHECKING:
    from gatework.tasks.detect.options import DetectOptions

# How far beyond the training range a value must lie, in standard deviations of the training rows: without a margin the
# next record of a series is an alarm. An end at which a column rests is no record, so that hardly any is needed.
_MARGIN, _BOUND_MARGIN = 0.5, 0.01
# A departure that lasts is learnt: where so many of the last rows lie beyond an end, it moves to the outermost one.
_RECENT, _LASTING, _EVERY = 2000, 100, 25
# Rows beyond an end with at most so many others between them are one excursion; where so many excursions in so many
# rows went as far, one that goes no farther is as usual.
_APART, _TIMES, _AGAIN = 48, 3, 1500
# How much longer than in training a value must be repeated, and the fewest repeats that training is taken to have.
_LONGER, _LEAST_RUN = 1.5, 3
# The longest of n runs says little where n is small: of runs that follow an exponential law, another one is more than
# 20^(1/n) times as long once in 20 times, nearly.
_RARE = 20.0
# A series that repeats itself more often than not is never stuck; if it has one value more often than not, it rests
# there, and is not stuck at that value.
_STILL = 0.5
# After so many rows more a column that rested has settled elsewhere.
_SETTLED = 300
# A record is told where it exceeds the last one by so much of the range of all values so far (Ahmad et al. 2017 have
# 0.05); chosen with the `adaptive` threshold.
_BEYOND = 0.03
# No ratio is above this: what goes on is told once, not ever louder, and how rare an error is counts for more.
_LOUDEST = 1.5


@dataclass(frozen=True)
class Extent(Stored):
    """What the training rows of a series span.

    Attributes:
        least: The least value of each variable, shape (variables,); NaN where it has none.
        most: The largest value.
        repeats: The most rows after which a value, other than the one at which a column rests, was still the same as
            before; NaN where repeats are the rule and it rests nowhere.
        rest: The value at which a column rests; NaN where it does not.
        departures: How often it left that in training; NaN likewise.
    """

    least: np.ndarray
    most: np.ndarray
    repeats: np.ndarray
    rest: np.ndarray
    departures: np.ndarray

    @classmethod
    def fit(cls, parts: Sequence[np.ndarray]) -> Extent:
        """That of training rows.

        Args:
            parts: Of each series, shape (rows, variables), NaN where missing.
        """
        values = np.concatenate(parts)
        is_known = ~np.isnan(values)
        least = np.where(is_known, values, np.inf).min(axis=0, initial=np.inf)
        most = np.where(is_known, values, -np.inf).max(axis=0, initial=-np.inf)
        none = np.where(is_known.any(axis=0), 0.0, np.nan)
        is_still = (_repeats(np.full(values.shape[1], np.nan), parts) > 0).sum(axis=0) > _STILL * is_known.sum(axis=0)
        rest = np.array([_rest(column) if still else np.nan for column, still in zip(values.T, is_still, strict=True)])
        rests, repeats = ~np.isnan(rest), _repeats(rest, parts).max(axis=0, initial=0)
        departures = np.sum([_departures(rest, part) for part in parts], axis=0)
        return cls(
            least + none,
            most + none,
            np.where(is_still & ~rests, np.nan, repeats),
            rest,
            np.where(rests, departures, np.nan),
        )

    @property
    def limits(self) -> np.ndarray:
        """The least and the largest value of each variable, shape (2, variables)."""
        return np.stack([self.least, self.most])


def _repeats(rest: np.ndarray, parts: Sequence[np.ndarray]) -> np.ndarray:
    """After how many rows each value of series was still the same, shape (rows, variables)."""
    return np.concatenate([Stuck(rest).repeats(part) for part in parts])


def _departures(rest: np.ndarray, values: np.ndarray) -> np.ndarray:
    """How often each column of a series goes from its rest to another value, shape (variables,)."""
    is_away = forward_filled(values, rest) != rest
    departures: np.ndarray = (np.diff(is_away.astype(np.int8), axis=0, prepend=0) == 1).sum(axis=0)
    return departures


def _rest(column: np.ndarray) -> float:
    """The value of more than half of the rows; NaN where there is none."""
    known = column[~np.isnan(column)]
    values, counts = np.unique(known, return_counts=True)
    return float(values[counts.argmax()]) if len(known) and counts.max() > _STILL * len(known) else float("nan")


class Stuck:
    """How often in a row a value was repeated, other than the one at which its column rests, in constant memory.

    Args:
        rest: That value of each column, NaN where it does not rest, shape (variables,).
    """

    def __init__(self, rest: np.ndarray) -> None:
        self.rest = rest
        self._last = np.full(len(rest), np.nan)
        self._run = np.zeros(len(rest))

    def repeats(self, values: np.ndarray) -> np.ndarray:
        """Takes in the rows that come next: after how many rows each value is still the same; a missing one is passed
        over.

        Args:
            values: Shape (rows, variables), NaN where missing.
        """
        filled = forward_filled(np.concatenate([self._last[None], values]), np.nan)
        is_known, is_same = ~np.isnan(values), (filled[1:] == filled[:-1]) & (filled[1:] != self.rest)
        counted = np.cumsum(is_known & is_same, axis=0)
        # What was counted up to the last change; before any change in these rows, less what was counted earlier.
        before = np.maximum.accumulate(np.where(is_known & ~is_same, counted, -self._run), axis=0)
        repeats: np.ndarray = counted - before
        if len(values):
            self._last, self._run = filled[-1], repeats[-1]
        return repeats


class ValueRule:
    """A rule on the values of one series.

    Args:
        extent: What its training rows span.
        std: Their standard deviations, shape (variables,).
    """

    name: ClassVar[str]

    def __init__(self, extent: Extent, std: np.ndarray) -> None:
        self.extent, self.std = extent, std

    def run(self, values: np.ndarray) -> np.ndarray:
        """Takes in the rows that come next: a ratio above 1 where a value is anomalous, NaN where it is missing.

        Args:
            values: In their own unit, shape (rows, variables).
        """
        raise NotImplementedError


class RangeRule(ValueRule):
    """A value is anomalous where it lies well outside the training range, until many of the last rows do.

    Where the range has been left again and again of late, it reaches as far as it was left each time.
    """

    name = "outside the training range"

    def __init__(self, extent: Extent, std: np.ndarray) -> None:
        super().__init__(extent, std)
        self._recent = [Window(_RECENT) for _ in std]
        self._rows = 0
        self._limits = extent.limits
        self._outer = self._bounds = self._with_margin()

    def run(self, values: np.ndarray) -> np.ndarray:
        """Takes in the rows that come next; see `ValueRule.run`."""
        ratios = np.empty(values.shape)
        at = 0
        while at < len(values):
            if self._rows % _EVERY == 0:
                self._limits = np.stack([self._grown(k) for k in range(len(self.std))], axis=1)
                self._bounds = self._with_margin()
            part = slice(at, min(at + _EVERY - self._rows % _EVERY, len(values)))
            middle, reach = self._bounds.mean(axis=0), np.ptp(self._bounds, axis=0) / 2
            ratios[part] = np.minimum(np.abs(values[part] - middle) / reach, _LOUDEST)
            for recent, column in zip(self._recent, values[part].T, strict=True):
                recent.fill(column)
            self._rows, at = self._rows + part.stop - at, part.stop
        return ratios

    def _with_margin(self) -> np.ndarray:
        """Beyond which values a variable is outside, shape (2, variables)."""
        is_bound = (self._limits == self.extent.limits) & (self._limits == self.extent.rest)
        margin = np.where(is_bound, _BOUND_MARGIN, _MARGIN) * self.std
        return np.stack([self._limits[0] - margin[0], self._limits[1] + margin[1]])

    def _grown(self, variable: int) -> np.ndarray:
        """The ends of a variable's range after the last rows, shape (2,)."""
        (least, most), (low, high) = self.extent.limits[:, variable], self._outer[:, variable]
        recent = self._recent[variable].values()
        return np.array([-_upper_end(-recent, -least, -low), _upper_end(recent, most, high)])


def _upper_end(recent: np.ndarray, end: float, bound: float) -> float:
    """Where the upper end of a range lies, once what lasts and what comes again and again have been learnt.

    Args:
        recent: The last values, oldest first, shape (rows,).
        end: Where it lay in training.
        bound: Beyond which values the range has been left.
    """
    if np.count_nonzero(recent > end) >= _LASTING:
        return float(recent.max())
    last = recent[-_AGAIN:]
    rows = np.flatnonzero(last > bound)
    if len(rows) < _TIMES:
        return end
    starts = np.flatnonzero(np.diff(rows, prepend=-_APART - 2) > _APART + 1)
    peaks = np.maximum.reduceat(last[rows], starts)
    if len(last) - rows[-1] <= _APART + 1:  # still under way
        peaks = peaks[:-1]
    return float(np.sort(peaks)[-_TIMES]) if len(peaks) >= _TIMES else end


class StuckRule(ValueRule):
    """A value is anomalous where it is repeated for longer than ever in training.

    Of a column that rested it is silent again once that has lasted: it has settled there.
    """

    name = "stuck"

    def __init__(self, extent: Extent, std: np.ndarray) -> None:
        super().__init__(extent, std)
        longest = np.maximum(np.nan_to_num(extent.repeats, nan=np.inf), _LEAST_RUN)
        departures = np.where(extent.departures > 0, extent.departures, np.inf)
        self._allowed = np.maximum(_LONGER, _RARE ** (1 / departures)) * longest + 1
        self._settled = np.where(np.isnan(extent.rest), np.inf, self._allowed + _SETTLED)
        self._stuck = Stuck(extent.rest)

    def run(self, values: np.ndarray) -> np.ndarray:
        """Takes in the rows that come next; see `ValueRule.run`."""
        repeats = self._stuck.repeats(values)
        ratio = np.where(repeats > self._settled, 0.0, np.minimum(repeats / self._allowed, _LOUDEST))
        return np.where(np.isnan(values), np.nan, ratio)


class RecordRule(ValueRule):
    """A value is anomalous where it lies beyond every value so far, those of the training part among them."""

    name = "beyond every value so far"

    def __init__(self, extent: Extent, std: np.ndarray) -> None:
        super().__init__(extent, std)
        self._limits = extent.limits

    def run(self, values: np.ndarray) -> np.ndarray:
        """Takes in the rows that come next; see `ValueRule.run`."""
        least = np.fmin.accumulate(np.concatenate([self._limits[:1], values]))
        most = np.fmax.accumulate(np.concatenate([self._limits[1:], values]))
        self._limits = np.stack([least[-1], most[-1]])
        least, most = least[:-1], most[:-1]
        apart, reach = np.abs(values - (least + most) / 2), (most - least) * (0.5 + _BEYOND)
        ratio = np.where(apart > reach, _LOUDEST, 0.0)
        np.divide(apart, reach, out=ratio, where=reach > 0)
        return np.where(np.isnan(values), np.nan, np.minimum(ratio, _LOUDEST))


_RULES: Mapping[str, tuple[type[ValueRule], ...]] = {
    "combined": (StuckRule, RangeRule),
    "adaptive": (StuckRule, RecordRule),
}


def value_rules(config: DetectOptions) -> tuple[type[ValueRule], ...]:
    """What judges beside the network's errors."""
    return _RULES.get(config.threshold, ())
