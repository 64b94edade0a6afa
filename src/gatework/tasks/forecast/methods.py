"""Simple methods, fitted: each answers quantiles at any origin, and can be kept as plain numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gatework.data.panel import Panel
from gatework.tasks.forecast.linear import Linear
from gatework.tasks.forecast.measures import scales, spreads
from gatework.tasks.forecast.metrics import LEVELS, MEDIAN
from gatework.tasks.forecast.windows import Origins

# Windows are gathered and answered in blocks of this many, so that memory stays small.
_BLOCK = 4096
_TINY = 1e-12


class Method(ABC):
    """A simple method that was fitted to the series of a table."""

    @property
    @abstractmethod
    def name(self) -> str:
        """As it stands in tables, such as "naive"."""

    @property
    @abstractmethod
    def about(self) -> str:
        """One sentence: what it does."""

    @property
    def parameters(self) -> int:
        """How many numbers it learnt; 0 where it learns nothing, or where that is not counted."""
        return 0

    @abstractmethod
    def quantiles(self, origins: Origins) -> np.ndarray:
        """Its forecasts, shape (origins, horizon, levels); NaN for a series that it cannot forecast."""

    @abstractmethod
    def begins(self, table: Panel) -> np.ndarray:
        """The first position on the grid that it looks at from the end of each series, shape (series,)."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """All that is needed to answer, as values that JSON can hold."""


class Point(ABC):
    """A method's forecasts without quantiles.

    Attributes:
        name: The method's name.
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def about(self) -> str:
        """One sentence: what it does."""

    @abstractmethod
    def __call__(self, origins: Origins) -> np.ndarray:
        """Forecasts of shape (origins, horizon)."""

    @property
    def reach(self) -> int:
        """How many steps before an origin it looks at."""
        return 1

    @property
    def parameters(self) -> int:
        """How many numbers it learnt."""
        return 0

    def state(self) -> dict[str, Any]:
        """Its numbers, as values that JSON can hold."""
        return {}


@dataclass(frozen=True)
class Naive(Point):
    """The last value, repeated."""

    name = "naive"
    about = "The last value, repeated."

    def __call__(self, origins: Origins) -> np.ndarray:
        """The last value before each origin."""
        return np.repeat(origins.histories(1), origins.horizon, axis=1)


@dataclass(frozen=True)
class Seasonal(Point):
    """The value one season before.

    Attributes:
        season: Its steps.
    """

    season: int
    name = "seasonal naive"

    @property
    def about(self) -> str:
        """One sentence: what it does."""
        return f"The value one season ({self.season} steps) before."

    @property
    def reach(self) -> int:
        """A season."""
        return self.season

    def __call__(self, origins: Origins) -> np.ndarray:
        """The season before each origin, repeated."""
        return origins.histories(self.season)[:, np.arange(origins.horizon) % self.season]

    def state(self) -> dict[str, Any]:
        """The season."""
        return {"season": self.season}


@dataclass(frozen=True, eq=False)
class Drift(Point):
    """The line from the first value of a series to the last one.

    Attributes:
        learnt: The table whose series it knows.
        first: The first value of each series and target of it, shape (series, targets).
        starts: The position on the grid of each first value, shape (series,).
    """

    learnt: Panel
    first: np.ndarray
    starts: np.ndarray
    name = "drift"
    about = "The line from the first value to the last, drawn on."

    @classmethod
    def fit(cls, table: Panel) -> Drift:
        """The first value of every series."""
        first = np.stack([series.values[0] for series in table.series])
        return cls(table, first, np.array([series.start for series in table.series], dtype=np.int64))

    def __call__(self, origins: Origins) -> np.ndarray:
        """The line drawn on."""
        fitted = Drift.fit(origins.table)
        first = of_series(self.first, origins, self.learnt, lambda: fitted.first)
        starts = of_series(self._starts(), origins, self.learnt, fitted._starts)
        last = origins.histories(1)
        slope = (last[:, 0] - first) / np.maximum(origins.times() - starts - 1, 1)
        return last + slope[:, None] * np.arange(1, origins.horizon + 1)

    def _starts(self) -> np.ndarray:
        return np.broadcast_to(self.starts[:, None], self.first.shape)

    def state(self) -> dict[str, Any]:
        """The first values and where they stand."""
        return {"first": self.first.tolist(), "starts": self.starts.tolist()}


@dataclass(frozen=True, eq=False)
class LinearOnLags(Point):
    """A ridge regression on the last values.

    Attributes:
        learnt: The table whose series it knows.
        linear: The regression.
        spread: The spread of each series and target of it, shape (series, targets).
    """

    learnt: Panel
    linear: Linear
    spread: np.ndarray
    name = "linear on lags"

    @property
    def about(self) -> str:
        """One sentence: what it does."""
        return f"Ridge regression from the last {self.reach} values to the whole horizon, less the last value."

    @property
    def reach(self) -> int:
        """Its lags."""
        return len(self.linear.weights)

    @property
    def parameters(self) -> int:
        """Its weights."""
        return self.linear.weights.size

    def __call__(self, origins: Origins) -> np.ndarray:
        """The regression's forecasts, made in blocks."""
        spread = of_series(self.spread, origins, self.learnt, lambda: spreads(origins.table, _lengths(origins.table)))
        places = [np.arange(k, min(k + _BLOCK, len(origins))) for k in range(0, len(origins), _BLOCK)]
        return np.concatenate([self.linear(origins[place].histories(self.reach), spread[place]) for place in places])

    def state(self) -> dict[str, Any]:
        """The weights and the spreads."""
        return {"linear": self.linear.state(), "spread": self.spread.tolist()}


@dataclass(frozen=True, eq=False)
class PointMethod(Method):
    """Point forecasts with quantiles around them, from the method's own errors on the validation origins.

    Attributes:
        point: The forecasts.
        learnt: The table whose series it knows.
        scale: MASE's divisor of each series and target of it, which errors are measured by; NaN where there is none.
            Shape (series, targets).
        by_step: The mean absolute error at each step ahead, shape (horizon,).
        spread: The quantiles of errors by that, shape (levels,).
        least: No forecast is below this.
    """

    point: Point
    learnt: Panel
    scale: np.ndarray
    by_step: np.ndarray
    spread: np.ndarray
    least: float

    @property
    def name(self) -> str:
        """That of the point forecasts."""
        return self.point.name

    @property
    def about(self) -> str:
        """That of the point forecasts."""
        return self.point.about

    @property
    def parameters(self) -> int:
        """Those of the point forecasts."""
        return self.point.parameters

    @classmethod
    def fit(cls, point: Point, validation: Origins, least: float) -> PointMethod:
        """Learns how far off the forecasts are.

        Args:
            point: The forecasts.
            validation: The origins to learn from.
            least: No forecast is below this.
        """
        size = _size(validation.of_series(validation.scale))
        error = (validation.actuals()["value"] - point(validation)) / size
        by_step = np.maximum(_mean_by_step(np.abs(error)), _TINY)
        spread = np.nanquantile(error / by_step, LEVELS, axis=None)
        # The point forecast stays the median, so that every method is judged by its own.
        return cls(point, validation.table, validation.scale, by_step, spread - spread[MEDIAN], least)

    def quantiles(self, origins: Origins) -> np.ndarray:
        """The forecasts with their quantiles; a shorter horizon is the beginning of the longest."""
        spread = of_series(self.scale, origins, self.learnt, lambda: scales(origins.table, origins.season))
        size = _size(spread) * self.by_step[: origins.horizon]
        values = self.point(origins)[..., None] + size[..., None] * self.spread
        return np.maximum(values, self.least) if np.isfinite(self.least) else values

    def begins(self, table: Panel) -> np.ndarray:
        """As many steps before the end as the point forecasts look at."""
        return np.array([s.start + max(0, len(s) - self.point.reach) for s in table.series], dtype=np.int64)

    def state(self) -> dict[str, Any]:
        """All that is needed to answer, as values that JSON can hold."""
        scale = np.where(np.isnan(self.scale), 0.0, self.scale)
        return {
            "name": self.name,
            "point": self.point.state(),
            "scale": scale.tolist(),
            "by_step": self.by_step.tolist(),
            "spread": self.spread.tolist(),
            "non_negative": bool(np.isfinite(self.least)),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], learnt: Panel) -> PointMethod:
        """The method whose `state()` this is.

        Args:
            state: Its numbers.
            learnt: The table with the series that it knows, in their order.

        Raises:
            ValueError: There is no such method, or it does not fit the table.
        """
        shape = (len(learnt.series), len(learnt.columns.targets))
        scale = checked(state["scale"], shape)
        by_step, spread = np.array(state["by_step"], dtype=np.float64), checked(state["spread"], (len(LEVELS),))
        scale[scale == 0] = np.nan
        point = _point(state["name"], state["point"], learnt, shape)
        return cls(point, learnt, scale, by_step, spread, 0.0 if state["non_negative"] else -np.inf)


@dataclass(frozen=True)
class PastQuantiles(Method):
    """The quantiles of what came before, whatever the step: of rare and lumpy counts hardly more can be known.

    Attributes:
        steps: Of so many of the last values at most.
    """

    steps: int = 1000
    label: ClassVar[str] = "quantiles of the past"

    @property
    def name(self) -> str:
        """As it stands in tables."""
        return self.label

    @property
    def about(self) -> str:
        """One sentence: what it does."""
        return f"The quantiles of the last {self.steps:,} values, the same for every step."

    def quantiles(self, origins: Origins) -> np.ndarray:
        """Values that there were, so those of counts are whole numbers."""
        series = origins.table.series
        each = np.empty((len(origins), 1, len(LEVELS)))
        for row, (number, target, step) in enumerate(origins.index):
            values = series[number].values[max(0, step - self.steps) : step, target]
            each[row, 0] = np.quantile(values, LEVELS, method="inverted_cdf")
        return np.repeat(each, origins.horizon, axis=1)

    def begins(self, table: Panel) -> np.ndarray:
        """As many steps before the end as it takes values of."""
        return np.array([s.start + max(0, len(s) - self.steps) for s in table.series], dtype=np.int64)

    def state(self) -> dict[str, Any]:
        """How many values it takes."""
        return {"name": self.name, "steps": self.steps}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> PastQuantiles:
        """The method whose `state()` this is.

        Raises:
            ValueError: It takes no values.
        """
        if not 1 <= int(state["steps"]) <= cls.steps:
            raise ValueError(f"quantiles of {state['steps']} values")
        return cls(int(state["steps"]))


def _point(name: str, state: Mapping[str, Any], learnt: Panel, shape: tuple[int, int]) -> Point:
    if name == Naive.name:
        return Naive()
    if name == Seasonal.name:
        return Seasonal(max(1, int(state["season"])))
    if name == Drift.name:
        return Drift(learnt, checked(state["first"], shape), checked(state["starts"], shape[:1]).astype(np.int64))
    if name == LinearOnLags.name:
        return LinearOnLags(learnt, Linear.from_state(state["linear"]), checked(state["spread"], shape))
    raise ValueError(f'there is no simple method "{name}"')


def checked(values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of a shape.

    Raises:
        ValueError: They have another one.
    """
    quantiles = np.array(values, dtype=np.float64)
    if quantiles.shape != shape:
        raise ValueError(f"numbers of shape {quantiles.shape}, expected {shape}")
    return quantiles


def of_series(values: np.ndarray, origins: Origins, learnt: Panel, of_table: Callable[[], np.ndarray]) -> np.ndarray:
    """What is known of the series of each origin, shape (origins,).

    Args:
        values: What is known of the series and targets of a table, shape (series, targets).
        origins: The origins, perhaps of another table.
        learnt: That table.
        of_table: Gives the same of the origins' own table, for series that are not in that one.
    """
    keys = origins.keys(learnt)
    chosen: np.ndarray = values.reshape(-1)[np.maximum(keys, 0)]
    return np.where(keys < 0, origins.of_series(of_table()), chosen) if (keys < 0).any() else chosen


def _mean_by_step(errors: np.ndarray) -> np.ndarray:
    """The mean of each step ahead, shape (horizon,); that of all steps where a step was never observed."""
    seen = ~np.isnan(errors).all(axis=0)
    if seen.all():
        return np.asarray(np.nanmean(errors, axis=0))
    means = np.full(errors.shape[1], np.nanmean(errors))
    means[seen] = np.nanmean(errors[:, seen], axis=0)
    return means


def _size(scale: np.ndarray) -> np.ndarray:
    """What errors of different series are measured by, shape (origins, 1)."""
    return np.where(np.isnan(scale), 1.0, scale)[:, None]


def _lengths(table: Panel) -> np.ndarray:
    return np.array([len(series) for series in table.series])
