r"""What columns that are known ahead add to a series, so that networks and simple methods forecast the rest.

A promotion or a holiday moves a value by $\beta^\top k_t$ times the spread of its series. $\beta$ is learnt between
values one season apart, so that level and season fall out, each less the errors' own autocorrelation times the step
before (D. Cochrane and G. Orcutt, "Application of least squares regression to relationships containing auto-correlated
error terms", JASA 1949), by ridge regression whose penalty is that of most evidence (D. MacKay, "Bayesian
interpolation", Neural Computation 1992), as a holiday may have come once. It is the same for all series of a table,
and nothing where the Bayesian information criterion does not prefer it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from gatework._stored import Stored
from gatework.data.panel import Panel, Series
from gatework.data.series import Scale
from gatework.tasks.forecast.holidays import holiday_features
from gatework.tasks.forecast.measures import Logarithm, spreads
from gatework.tasks.forecast.methods import Method
from gatework.tasks.forecast.options import ForecastOptions
from gatework.tasks.forecast.windows import Origins

_FEWEST_ROWS, _MOST_ROWS = 20, 50_000
_TINY = 1e-9


class _Rows(NamedTuple):
    """Differences of all series below each other.

    Attributes:
        y: Those of the values by their series' spread, shape (rows, targets); NaN where one was not observed.
        k: Those of what is known ahead, shape (rows, known).
        first: Whether the row is the first of its series, shape (rows,).
    """

    y: np.ndarray
    k: np.ndarray
    first: np.ndarray


@dataclass(frozen=True, eq=False)
class Effects(Stored):
    """What is added by each column that is known ahead.

    Attributes:
        weights: By the spread of a series, shape (known, targets).
        mean: What a column adds nothing at, shape (known,).
        ids: The series whose spread is known.
        spread: It, shape (series, targets).
        holidays: The place whose holidays stand among the columns; "" for none.
    """

    weights: np.ndarray
    mean: np.ndarray
    ids: tuple[tuple[str, ...], ...]
    spread: np.ndarray
    holidays: str

    def __post_init__(self) -> None:
        if self.weights.ndim != 2 or self.mean.shape != self.weights.shape[:1]:
            raise ValueError("the effects of what is known ahead are no table of numbers")
        if self.spread.shape != (len(self.ids), self.weights.shape[1]):
            raise ValueError("the effects of what is known ahead are of other series")

    @classmethod
    def fit(cls, table: Panel, ends: np.ndarray, season: int, holidays: str) -> Effects | None:
        """Learns from the training parts; None where nothing is known ahead, or it does not pay.

        Args:
            table: The series.
            ends: Where each series' training part ends, in steps, shape (series,).
            season: The steps of one season.
            holidays: The place whose holidays are known; "" for none.
        """
        if not (table.columns.known or holidays):
            return None
        spread = spreads(table, ends)
        known = [_known(table, s, int(end), holidays) for s, end in zip(table.series, ends, strict=True)]
        rows = _rows(table, known, season, spread)
        if rows is None:
            return None
        columns = [_weights(rows, target) for target in range(rows.y.shape[1])]
        if not any(column.any() for column in columns):
            return None
        mean = np.nan_to_num(np.nanmean(np.concatenate(known), axis=0))
        return cls(np.stack(columns, axis=1), mean, tuple(s.id for s in table.series), spread, holidays)

    @classmethod
    def on_scale(cls, table: Panel, ends: np.ndarray, plan: ForecastOptions, log: Logarithm | None) -> Effects | None:
        """The same of a table whose targets are learnt as logarithms, or as they are; learnt once for a table."""
        key = (cls, ends.tobytes(), plan.season, plan.holidays, log is not None)
        if key not in table.learnt:
            table.learnt[key] = cls.fit(log.table(table) if log else table, ends, plan.season, plan.holidays)
        effects: Effects | None = table.learnt[key]
        return effects

    def without(self, origins: Origins) -> Origins:
        """The same origins in a table without what the known columns added up to the end of its series."""
        if id(origins.table) not in self._rests:
            self._rests.clear()
            # The table is kept beside its rest, so that its id stays its own.
            self._rests[id(origins.table)] = (origins.table, self._rest(origins.table))
        return dataclasses.replace(origins, table=self._rests[id(origins.table)][1])

    @cached_property
    def _rests(self) -> dict[int, tuple[Panel, Panel]]:
        """The last table with its rest: every simple method asks for it."""
        return {}

    def _rest(self, table: Panel) -> Panel:
        series = [
            dataclasses.replace(s, values=s.values - self._added(table, s, len(s)) * spread)
            for s, spread in zip(table.series, self._spreads(table), strict=True)
        ]
        return dataclasses.replace(table, series=tuple(series))

    def ahead(self, origins: Origins) -> np.ndarray:
        """What they add to the steps that each origin forecasts, shape (origins, horizon)."""
        table, spread = origins.table, origins.of_series(self._spreads(origins.table))
        whole = {
            number: self._added(table, table.series[number], len(table.series[number]) + origins.horizon)
            for number in np.unique(origins.index[:, 0]).tolist()
        }
        steps = np.arange(origins.horizon)
        added = [whole[number][step + steps, target] for number, target, step in origins.index.tolist()]
        return np.array(added).reshape(len(origins), origins.horizon) * spread[:, None]

    def by_input(self, known: Scale, moments: int) -> np.ndarray:
        """By the spread of a series, what a unit of each input adds, shape (known + moments, targets).

        Args:
            known: The scale of the columns known ahead, the first of these inputs.
            moments: How many inputs follow that say which time it is; the last of them are the holidays.
        """
        count = len(known.mean)
        weights = np.zeros((count + moments, self.weights.shape[1]))
        weights[:count] = self.weights[:count] * np.array(known.std)[:, None]
        weights[len(weights) - (len(self.weights) - count) :] = self.weights[count:]
        return weights

    def _added(self, table: Panel, series: Series, steps: int) -> np.ndarray:
        """By the spread, shape (steps, targets); what is not known adds nothing."""
        known = _known(table, series, steps, self.holidays) - self.mean
        added: np.ndarray = np.where(np.isnan(known), 0.0, known) @ self.weights
        return added

    def _spreads(self, table: Panel) -> np.ndarray:
        """That of the series of a table, perhaps of newer ones, shape (series, targets)."""
        numbers = {name: number for number, name in enumerate(self.ids)}
        of_table = spreads(table, np.array([len(s) for s in table.series]))
        return np.stack(
            [self.spread[numbers[s.id]] if s.id in numbers else of_table[n] for n, s in enumerate(table.series)]
        )


@dataclass(frozen=True, eq=False)
class Adjusted(Method):
    """A simple method of what is left of the values, with what is known ahead added to what it says.

    Attributes:
        method: The method.
        effects: What is known ahead adds.
        least: No forecast is below this.
    """

    method: Method
    effects: Effects
    least: float

    @property
    def name(self) -> str:
        """That of the method."""
        return self.method.name

    @property
    def about(self) -> str:
        """What the method does, and that this is done besides."""
        return f"{self.method.about} What is known ahead adds its effect, learnt by a regression."

    @property
    def parameters(self) -> int:
        """Those of the method and the effects."""
        return self.method.parameters + self.effects.weights.size

    def quantiles(self, origins: Origins) -> np.ndarray:
        """The method's quantiles of the rest, shifted by the effects."""
        rest = self.method.quantiles(self.effects.without(origins))
        return np.maximum(rest + self.effects.ahead(origins)[..., None], self.least)

    def begins(self, table: Panel) -> np.ndarray:
        """Where the method begins to look."""
        return self.method.begins(table)

    def state(self) -> dict[str, Any]:
        """That of the method; the effects are those of all methods."""
        return {"name": self.name, "rest": self.method.state(), "non_negative": bool(np.isfinite(self.least))}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], method: Method, effects: Effects) -> Adjusted:
        """The one whose `state()` this is.

        Args:
            state: Its numbers.
            method: The method of the rest.
            effects: What is known ahead adds.
        """
        return cls(method, effects, 0.0 if state["non_negative"] else -np.inf)


def _known(table: Panel, series: Series, steps: int, holidays: str) -> np.ndarray:
    """What is known of the first steps of a series, shape (steps, known), NaN where it is not."""
    known = np.full((steps, series.known.shape[1]), np.nan)
    given = series.known[:steps]
    known[: len(given)] = given
    if not holidays:
        return known
    days = holiday_features(table, series.start + np.arange(steps), holidays)
    return np.concatenate([known, days.astype(np.float64)], axis=1)


def _rows(table: Panel, known: Sequence[np.ndarray], season: int, spread: np.ndarray) -> _Rows | None:
    """The differences of the training parts, given what is known of them; None where there are too few."""
    lag = season if season > 1 and 3 * season <= max(map(len, known)) else 1
    made, count = [], 0
    for s, k, sizes in zip(table.series, known, spread, strict=True):
        end = len(k)
        if end <= lag:
            continue
        values = np.where(s.observed[:end], s.values[:end], np.nan) / sizes
        made.append((values[lag:] - values[:-lag], k[lag:] - k[:-lag], np.arange(end - lag) == 0))
        count += end - lag
        if count >= _MOST_ROWS:
            break
    if count < _FEWEST_ROWS:
        return None
    return _Rows(*(np.concatenate(arrays) for arrays in zip(*made, strict=True)))


def _weights(rows: _Rows, target: int) -> np.ndarray:
    """The effects of one target, shape (known,); zeros where they do not pay."""
    from sklearn.linear_model import BayesianRidge

    y, k = rows.y[:, target], rows.k
    weights, seen = np.zeros(k.shape[1]), np.isfinite(y) & np.isfinite(k).all(axis=1)
    size = k[seen].std(axis=0) if seen.any() else weights
    moves = size > _TINY
    if seen.sum() < _FEWEST_ROWS or not moves.any():
        return weights
    k = np.where(seen[:, None], k[:, moves] / size[moves], 0.0)
    left = y - BayesianRidge().fit(k[seen], y[seen]).predict(k)
    pairs = np.flatnonzero(seen[1:] & seen[:-1] & ~rows.first[1:]) + 1
    if len(pairs) < _FEWEST_ROWS:
        return weights
    before = left[pairs - 1]
    share = float(np.clip(left[pairs] @ before / max(before @ before, _TINY), -1, 1))
    y, k = y[pairs] - share * y[pairs - 1], k[pairs] - share * k[pairs - 1]
    fitted = BayesianRidge().fit(k, y)
    error, of_nothing = ((y - fitted.predict(k)) ** 2).sum(), ((y - y.mean()) ** 2).sum()
    if of_nothing > _TINY and len(y) * np.log(of_nothing / max(error, _TINY)) > k.shape[1] * np.log(len(y)):
        weights[moves] = fitted.coef_ / size[moves]
    return weights
