"""What a forecaster answers: the network's quantiles, those of simple methods, or their weighted mean, level by level.

A mean of quantiles, unlike a mixture of distributions, is no wider than its parts (K. Lichtendahl, Y.
Grushka-Cockayne and R. Winkler, "Is it better to average probabilities or quantiles?", Management Science 2013). Its
median is the answer's; its intervals are chosen anew along the way, see `bands.py`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gatework.data.panel import Panel
from gatework.tasks._blend import MEAN, NETWORK, Blend, chosen
from gatework.tasks.forecast.bands import Bands
from gatework.tasks.forecast.baselines import Part, fitted
from gatework.tasks.forecast.data import ForecastDataset, earlier_origins
from gatework.tasks.forecast.effects import Adjusted, Effects
from gatework.tasks.forecast.methods import Method, PastQuantiles, PointMethod
from gatework.tasks.forecast.metrics import LEVELS, MEDIAN, mase
from gatework.tasks.forecast.past import Past
from gatework.tasks.forecast.shares import ANSWER, Shares, mean
from gatework.tasks.forecast.statistical import STATISTICAL, Statistical
from gatework.tasks.forecast.windows import Origins


@dataclass(frozen=True, eq=False)
class ForecastBlend:
    """What answers in a run, with all that this needs beside the network.

    Attributes:
        blend: Which candidates, by which weights.
        methods: The simple methods among them, and those that offer bands, as fitted before the last test origins.
        past: What these look back at, beyond the history that the run keeps.
        bands: What is known of the answer's intervals.
    """

    blend: Blend
    methods: tuple[Method, ...]
    past: Past
    bands: Bands

    @property
    def is_statistical(self) -> bool:
        """Whether it takes methods of statsforecast."""
        return any(method.name in STATISTICAL for method in self.methods)

    def said(self, network: np.ndarray, origins: Origins) -> dict[str, np.ndarray]:
        """The answers at origins of a table that may be newer, and all who offer bands, before calibration.

        Args:
            network: What the network says, before calibration, shape (origins, horizon, levels).
            origins: Where it is forecast from.
        """
        whole = self.past.before(origins)
        said = {method.name: method.quantiles(whole) for method in self.methods}
        return _asked(self.blend, {NETWORK: network, **said})

    def name(self, time: int) -> str:
        """What answers a forecast whose first step this is, after all steps that are known."""
        weights = self.bands.shares.weights(time)
        return dataclasses.replace(self.blend, weights=weights).name if weights else self.blend.name

    def state(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        adjusted = [method for method in self.methods if isinstance(method, Adjusted)]
        return {
            "blend": self.blend.state(),
            "methods": [method.state() for method in self.methods],
            # They are the same for all methods.
            **({"effects": adjusted[0].effects.state()} if adjusted else {}),
            "past": self.past.state(),
            "bands": self.bands.state(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], history: Panel) -> ForecastBlend:
        """The blend whose `state()` this is.

        Args:
            state: Its values.
            history: The end of every series, as the run keeps it.

        Raises:
            ValueError: Something is none of what was expected.
            RunError: A package is missing that a method needs.
        """
        effects = Effects.from_state(state["effects"]) if "effects" in state else None
        methods = tuple(_method(kept, history, effects) for kept in state["methods"])
        blend = Blend.from_state(state["blend"])
        if {NETWORK, *(method.name for method in methods)} < set(blend.weights):
            raise ValueError("the blend lacks a method that it has a weight of")
        past = Past.from_state(state["past"], history)
        bands = Bands.from_state(state["bands"])
        known = {ANSWER, NETWORK, *(method.name for method in methods)}
        if set(bands.methods) - known or set(bands.shares.errors) - known:
            raise ValueError("a method is missing that offers bands, or is a candidate for the answer")
        return cls(blend, methods, past, bands)


def _method(state: Mapping[str, Any], history: Panel, effects: Effects | None) -> Method:
    if "rest" in state:
        if effects is None:
            raise ValueError("the effects of what is known ahead are missing")
        return Adjusted.from_state(state, _method(state["rest"], history, None), effects)
    if state["name"] == PastQuantiles.label:
        return PastQuantiles.from_state(state)
    kind: type[Statistical] | type[PointMethod] = Statistical if state["name"] in STATISTICAL else PointMethod
    return kind.from_state(state, history)


_MEASURE = "MASE"


def choose(network: np.ndarray, dataset: ForecastDataset) -> Blend:
    """What does best on the validation part.

    Args:
        network: What the network says of its origins, before calibration, shape (origins, horizon, levels).
        dataset: The data of the first training.
    """
    actuals = dataset.validation.targets
    said = {NETWORK: network} | {
        fit.method.name: fit.quantiles for fit in fitted(dataset, "validation") if fit.is_whole
    }
    can = {NETWORK, *(fit.method.name for fit in fitted(dataset, "test") if fit.is_whole)}

    def error(quantiles: np.ndarray) -> float:
        return mase(np.abs(actuals["value"] - quantiles[..., MEDIAN]), actuals)

    errors = {name: error(quantiles) for name, quantiles in said.items() if name in can}
    return chosen(errors, lambda weights: error(mean(weights, said)), _MEASURE)


def on_part(blend: Blend, network: np.ndarray, dataset: ForecastDataset, part: Part) -> dict[str, np.ndarray]:
    """The answers to the validation or test part of a training, and what all say who may have a part in them.

    Args:
        blend: What answers.
        network: What the network says, before calibration, shape (origins, horizon, levels).
        dataset: The data of the training.
        part: Which part.
    """
    return _asked(blend, {NETWORK: network, **{fit.method.name: fit.quantiles for fit in fitted(dataset, part)}})


def before_validation(blend: Blend, dataset: ForecastDataset) -> tuple[dict[str, np.ndarray], Origins]:
    """What simple methods say of origins in the training part, as all who offer bands, and these origins.

    The network learnt from those steps: there it cannot answer, and has no part in the answer. A method of few numbers
    errs there nearly as it does later. Without statsforecast's methods, where the network answers alone, and in a table
    that is too short, there is no such origin.

    Args:
        blend: What answers.
        dataset: The data of the training.
    """
    origins = earlier_origins(dataset)
    methods = [fit.method for fit in fitted(dataset, "validation")]
    offering = [m for m in methods if m.name in STATISTICAL or m.name in blend.weights]
    if blend.is_network or not any(method.name in STATISTICAL for method in offering):
        origins = origins[np.zeros(0, np.int64)]
    unknown = np.full((len(origins), origins.horizon, len(LEVELS)), np.nan)
    asked = {method.name: method.quantiles(origins) if len(origins) else unknown for method in offering}
    said = _asked(blend, {NETWORK: unknown, **asked})
    can = np.flatnonzero(np.isfinite(said[ANSWER]).all(axis=(1, 2)))
    return {name: quantiles[can] for name, quantiles in said.items()}, origins[can]


def _asked(blend: Blend, said: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    needed = {*blend.weights, *candidates(blend), NETWORK, *STATISTICAL}
    return {ANSWER: mean(blend.weights, said)} | {name: each for name, each in said.items() if name in needed}


def offering(blend: Blend, said: Iterable[str]) -> list[str]:
    """Who offers bands, among those who say something; alone, a method is the answer."""
    return [ANSWER, *(name for name in (NETWORK, *STATISTICAL) if name in set(said) and {name} != set(blend.weights))]


def candidates(blend: Blend) -> list[str]:
    """Who may come to have a share in the median: those who have one, and those who offer bands.

    One that validation preferred to every mean, and a network that is far ahead of all else, stay alone.
    """
    if blend.is_network or (len(blend.weights) == 1 and MEAN in blend.validation):
        return list(blend.weights)
    return [name for name in blend.validation if name in {*blend.weights, NETWORK, *STATISTICAL}]


def weighing(
    blend: Blend, bands: Bands, said: Mapping[str, np.ndarray], y: np.ndarray, times: np.ndarray, keys: np.ndarray
) -> Bands:
    """With what the validation part says of the candidates for the median.

    Args:
        blend: What was chosen there.
        bands: What is known of the intervals.
        said: What each says of that part, and the answer.
        y: What came to pass, NaN where nothing was observed, shape (origins, horizon).
        times: The first step that each of its origins forecasts, as a position on the grid, shape (origins,).
        keys: Which series each is of.
    """
    errors = {name: blend.validation[name] for name in candidates(blend) if name in blend.validation}
    if not errors:
        return bands
    return dataclasses.replace(bands, shares=Shares.chosen(errors, said, y, times, keys, bands.block))


def made(blend: Blend, dataset: ForecastDataset, history: Panel, bands: Bands) -> ForecastBlend:
    """What a run needs to answer by a blend.

    Args:
        blend: What answers.
        dataset: The data of the last training, whose methods go on.
        history: The end of every series, as the run keeps it.
        bands: What is known of the answer's intervals.
    """
    needed = {*blend.weights, *bands.shares.errors, *bands.methods}
    methods = tuple(fit.method for fit in fitted(dataset, "test") if fit.method.name in needed)
    return ForecastBlend(blend, methods, Past.of(dataset.table, methods, history), bands)
