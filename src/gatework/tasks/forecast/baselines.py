"""Simple methods on the very origins that the network is tested on, each with quantiles of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Literal, NamedTuple

import numpy as np
import polars as pl

from gatework.tasks._task import Baseline
from gatework.tasks.forecast.data import ForecastDataset
from gatework.tasks.forecast.effects import Adjusted, Effects
from gatework.tasks.forecast.linear import Linear
from gatework.tasks.forecast.measures import are_small_counts, spreads
from gatework.tasks.forecast.methods import (
    Drift,
    LinearOnLags,
    Method,
    Naive,
    PastQuantiles,
    Point,
    PointMethod,
    Seasonal,
)
from gatework.tasks.forecast.metrics import answers_of
from gatework.tasks.forecast.rests import Rests
from gatework.tasks.forecast.statistical import STATISTICAL, Statistical, absent
from gatework.tasks.forecast.windows import Origins, origins_of

Part = Literal["validation", "test"]


class Fitted(NamedTuple):
    """A simple method with its forecasts for a part of the data.

    Attributes:
        method: The method.
        quantiles: Its forecasts, shape (origins, horizon, levels).
        seconds: What fitting and forecasting took.
    """

    method: Method
    quantiles: np.ndarray
    seconds: float

    @property
    def is_whole(self) -> bool:
        """Whether it could forecast every series."""
        return bool(np.isfinite(self.quantiles).all())


def fitted(dataset: ForecastDataset, part: Part) -> list[Fitted]:
    """Naive, seasonal naive, drift, a linear model on lags, and AutoETS, AutoTheta and AutoARIMA, where they can be.

    Of small counts the quantiles of the past besides. The linear model is fitted to the training part; the last three
    to all that stands before the part's first origin. Where what is known ahead adds to the values, all of them but
    these quantiles forecast the rest. Where nothing ever happens all say so, as the network does.
    They are fitted once for a data set.
    """
    if part not in dataset.methods:
        origins = origins_of(getattr(dataset, part))
        effects = Effects.on_scale(dataset.table, dataset.ends, dataset.plan, None)
        least = 0.0 if dataset.plan.non_negative else -np.inf
        rest = [
            each if effects is None else effects.without(each) for each in (origins, origins_of(dataset.validation))
        ]
        floor = least if effects is None else -np.inf
        makers = [_point_method(make, rest[1], floor) for make in _points(dataset, effects)]
        if not absent(origins):
            makers += [_statistical(kind, rest[0], dataset.plan.season, floor) for kind in STATISTICAL]
        if effects is not None:
            makers = [_adjusted(make, effects, least) for make in makers]
        if are_small_counts(dataset.table, dataset.ends):
            makers.append(PastQuantiles)
        dataset.methods[part] = [_timed(make, origins, dataset.rests) for make in makers]
    methods: list[Fitted] = dataset.methods[part]
    return methods


def baselines(dataset: ForecastDataset) -> list[Baseline]:
    """Every method on the test part; those that were fitted for each of the data set's trainings, as one."""
    fits = [_baselines(training) for training in dataset.trainings]
    return [gathered(methods) for methods in zip(*fits, strict=True)]


def gathered(fits: Sequence[Baseline]) -> Baseline:
    """One method, fitted for each of the data set's trainings, as one."""
    answers = pl.concat([fit.answers for fit in fits]).sort("series", "target", "step")
    return dataclasses.replace(fits[-1], answers=answers, seconds=sum(fit.seconds for fit in fits))


def _baselines(dataset: ForecastDataset) -> list[Baseline]:
    return [
        Baseline(
            fit.method.name,
            fit.method.about,
            answers_of(fit.quantiles, dataset.test.targets),
            fit.seconds,
            fit.method.parameters,
        )
        for fit in fitted(dataset, "test")
        if fit.is_whole
    ]


def _points(dataset: ForecastDataset, effects: Effects | None) -> list[Callable[[], Point]]:
    plan, train = dataset.plan, origins_of(dataset.sampled.train)
    train = train if effects is None else effects.without(train)
    seasonal: list[Callable[[], Point]] = [lambda: Seasonal(plan.season)] if plan.season > 1 else []
    return [Naive, lambda: Drift.fit(train.table), *seasonal, lambda: _linear(train, dataset)]


def _linear(train: Origins, dataset: ForecastDataset) -> LinearOnLags:
    spread = spreads(train.table, dataset.ends)
    return LinearOnLags(train.table, Linear.fit(train, dataset.plan.window, spread), spread)


def _point_method(make: Callable[[], Point], validation: Origins, least: float) -> Callable[[], Method]:
    return lambda: PointMethod.fit(make(), validation, least)


def _statistical(kind: str, origins: Origins, season: int, least: float) -> Callable[[], Method]:
    return lambda: Statistical.fit(kind, origins, season, least)


def _adjusted(make: Callable[[], Method], effects: Effects, least: float) -> Callable[[], Method]:
    return lambda: Adjusted(make(), effects, least)


def _timed(make: Callable[[], Method], origins: Origins, rests: Rests) -> Fitted:
    start = perf_counter()
    method = make()
    quantiles = rests.applied(method.quantiles(origins), origins, origins.table)
    return Fitted(method, quantiles, perf_counter() - start)
