"""AutoETS, AutoTheta and AutoARIMA (statsforecast) on the very origins that the network is tested on.

Each is chosen and fitted on what stands before a series' first origin; at later origins it sees every value up to
there and keeps its parameters, as the network does. What is kept of a fit is its form and its coefficients.

A model's own intervals follow from the variance of its errors, which a single shift of the level spoils for good. So
they are stretched until the first step reaches as far as the quantiles of the model's own one-step errors up to the
origin, of which recent ones count more. A shift may also make a model follow every value, so that its intervals widen
with the steps ahead as a random walk's: where its errors at earlier origins clearly do not, a power of the steps takes
that back. Elsewhere it stays the model's.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from gatework.data.panel import Panel
from gatework.errors import RunError
from gatework.tasks.forecast.conformal import PROMISED, stretched
from gatework.tasks.forecast.methods import Method
from gatework.tasks.forecast.metrics import LEVELS, MEDIAN
from gatework.tasks.forecast.windows import Origins

MOST_SERIES = 30
"""Above so many series these methods are left out: each series is fitted by itself, which takes minutes."""
STATISTICAL = {
    "AutoETS": "Exponential smoothing, its form chosen by AICc.",
    "AutoTheta": "The theta method, its form chosen by the squared error.",
    "AutoARIMA": "ARIMA, its orders chosen by AICc.",
}
"""The methods by name, with what they do."""

_PERCENTS = {"95": (0, 6), "80": (1, 5), "50": (2, 4)}
# A longer season makes these models' states too large to fit in reasonable time.
_LONGEST_SEASON = 60
_MOST_VALUES = 1500
# A model whose very next value is so many times the range of all values beyond it does not suit them.
_LEAP = 2.0
# Errors count half after so many steps, and the model's own variance as much as so many of them, of which the first
# few follow from how the model begins. Chosen on cut tables and generated series; docs/benchmarks-forecast.md.
_HALF_LIFE, _PRIOR, _BEGINNING = 100.0, 20.0, 3
# Bands are narrowed or widened by this at most.
_MOST_STRETCH = 10.0
# The power of the steps is read from so many origins within so many blocks before the fit's end, a block being a
# horizon and at least ten steps; a power of 0 counts as much as eight blocks. Of models that suit, chance gives -0.13.
_ASKED, _BLOCKS, _LEAST_BLOCK, _PRIOR_BLOCKS, _MOST_POWER, _CLEARLY = 40, 20, 10, 8.0, 0.5, 0.15
# What statsforecast raises for values that a model is not made for, such as a few of them; of no more values than
# parameters, it takes a number for an array.
_CANNOT = (ArithmeticError, AttributeError, LookupError, NotImplementedError, ValueError, np.linalg.LinAlgError)
_INSTALL = 'pip install "gatework[forecast]"'


@dataclass(frozen=True, eq=False)
class Fit:
    """A model of one series and target.

    Attributes:
        begin: The position on the grid of the first value that it is given.
        end: That behind the last value that it was fitted to; None where it was kept as numbers.
        model: The fitted model of statsforecast.
        power: That of the steps ahead by which its intervals widen less than the model's; 0 or below.
    """

    begin: int
    end: int | None
    model: Any
    power: float = 0.0


@dataclass(frozen=True, eq=False)
class Statistical(Method):
    """A statistical method, fitted to each series by itself.

    Attributes:
        kind: Which of `STATISTICAL`.
        learnt: The table whose series it knows.
        fits: The fits by `Origins.keys()`; of a series that it could not be fitted to there is none.
        season: The steps of a season.
        least: No forecast is below this.
    """

    kind: str
    learnt: Panel
    fits: Mapping[int, Fit]
    season: int
    least: float

    @property
    def name(self) -> str:
        """As it stands in tables."""
        return self.kind

    @property
    def about(self) -> str:
        """One sentence: what it does."""
        return STATISTICAL[self.kind]

    @classmethod
    def fit(cls, kind: str, origins: Origins, season: int, least: float) -> Statistical:
        """Fits every series to what stands before its first origin.

        Args:
            kind: Which of `STATISTICAL`.
            origins: The origins that it is going to be asked for.
            season: The steps of a season; a long one is left out of account.
            least: No forecast is below this.
        """
        season = season if season <= _LONGEST_SEASON else 1
        fits = {}
        for key in np.unique(keys := origins.keys(origins.table)):
            number, target, first = min(origins.index[keys == key].tolist(), key=lambda row: row[2])
            series = origins.table.series[number]
            begin = max(0, first - _MOST_VALUES)
            model = _fitted(kind, season, series.values[begin:first, target])
            if model is not None:
                fits[int(key)] = Fit(series.start + begin, series.start + first, model)
        method = cls(kind, origins.table, fits, season, least)
        powers = {key: method._power(key, fit, origins) for key, fit in fits.items()}
        return dataclasses.replace(method, fits={k: dataclasses.replace(fits[k], power=powers[k]) for k in fits})

    def _power(self, key: int, fit: Fit, origins: Origins) -> float:
        """The power of the steps ahead with which errors at earlier origins grew more slowly than the intervals."""
        number, target = divmod(key, len(self.learnt.columns.targets))
        start, block = self.learnt.series[number].start, max(origins.horizon, _LEAST_BLOCK)
        begin, end = fit.begin - start, (fit.end or 0) - start
        least = max(begin + 2 * self.season + block, (begin + end) // 2, end - _BLOCKS * block)
        if origins.horizon == 1 or end - origins.horizon < least:
            return 0.0
        steps = np.unique(np.linspace(least, end - origins.horizon, _ASKED).astype(np.int64))
        index = np.stack([np.full(len(steps), number), np.full(len(steps), target), steps], axis=1)
        asked = dataclasses.replace(origins, index=index)
        said = self.quantiles(asked)
        with _silent():
            relative = np.abs(asked.actuals()["value"] - said[..., MEDIAN]) / (said[..., -1] - said[..., 0])
            growth = np.log(np.nanmedian(relative, axis=0))
            ahead = np.log(np.arange(1, origins.horizon + 1))
            power = float((ahead * (growth - growth[0])).sum() / (ahead**2).sum())
        blocks = (steps[-1] - steps[0]) / block
        counted = max(power, -_MOST_POWER) * blocks / (blocks + _PRIOR_BLOCKS)
        return counted if counted < -_CLEARLY else 0.0

    def quantiles(self, origins: Origins) -> np.ndarray:
        """Forecasts with the models' quantiles; NaN for a series that has no fit, or not the values it begins at."""
        said = np.full((len(origins), origins.horizon, len(LEVELS)), np.nan)
        for row, (key, (number, target, step)) in enumerate(zip(origins.keys(self.learnt), origins.index, strict=True)):
            fit, series = self.fits.get(int(key)), origins.table.series[number]
            if fit is not None and fit.begin >= series.start:
                values = series.values[fit.begin - series.start : step, target]
                is_first = series.start + step == fit.end
                # An early origin of a newer table has too few values for some models.
                with contextlib.suppress(*_CANNOT):
                    said[row] = self._answer(fit, values, is_first=is_first, horizon=origins.horizon)
        return np.maximum(said, self.least)

    def _answer(self, fit: Fit, values: np.ndarray, *, is_first: bool, horizon: int) -> np.ndarray:
        levels = [50, 80, 95]
        # A model that does not suit newer values may have a variance below 0; what it says then is NaN.
        with _silent():
            if is_first:
                answer = fit.model.predict(horizon, level=levels) | fit.model.predict_in_sample()
            else:
                answer = fit.model.forward(values, horizon, level=levels, fitted=True)
        said = _quantiles(answer)
        # Nor does one that leaps: parameters of steady years may turn a later shift into a forecast far from any value.
        least, span = values.min(), np.ptp(values)
        leaps = abs(said[0, MEDIAN] - least - span / 2) > (0.5 + _LEAP) * span
        if not is_first and leaps and span > 0:
            return np.full_like(said, np.nan)
        errors = values - answer["fitted"]
        if fit.model.model_.get("components", "").startswith("M"):
            # Smoothing by shares of the level: what was 3 of 100 is 30 of 1,000.
            with np.errstate(all="ignore"):
                errors = errors / answer["fitted"] * said[0, MEDIAN]
        said = borne_out(said, errors)
        median = said[:, MEDIAN : MEDIAN + 1]
        narrowed: np.ndarray = median + np.arange(1, horizon + 1)[:, None] ** fit.power * (said - median)
        return narrowed

    def begins(self, table: Panel) -> np.ndarray:
        """Where the models of each series begin."""
        targets = len(table.columns.targets)
        begins = np.array([series.start + len(series) for series in table.series], dtype=np.int64)
        for key, fit in self.fits.items():
            begins[key // targets] = min(begins[key // targets], fit.begin)
        return begins

    def state(self) -> dict[str, Any]:
        """All that is needed to answer, as values that JSON can hold."""
        fits = [
            {"key": key, "begin": fit.begin, "power": fit.power, "model": _PARTS[self.kind](fit.model.model_)}
            for key, fit in self.fits.items()
        ]
        return {"name": self.kind, "season": self.season, "non_negative": self.least == 0, "fits": fits}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], learnt: Panel) -> Statistical:
        """The method whose `state()` this is.

        Args:
            state: Its numbers.
            learnt: The table with the series that it knows, in their order.

        Raises:
            ValueError: The numbers are none of such a model.
            RunError: statsforecast is not installed.
        """
        kind, season = str(state["name"]), int(state["season"])
        if not 1 <= season <= _LONGEST_SEASON:
            raise ValueError(f"a season of {season} steps")
        if not is_installed():
            raise RunError(f"this run answers with {kind}, for which statsforecast is needed: {_INSTALL}")
        fits = {}
        for kept in state["fits"]:
            model = _model(kind, season)
            model.model_ = _WHOLE[kind](kept["model"], season)
            power = float(kept["power"])
            if not -_MOST_POWER <= power <= 0:
                raise ValueError(f"intervals that widen with the power {power} of the steps")
            fits[int(kept["key"])] = Fit(int(kept["begin"]), None, model, power)
        return cls(kind, learnt, fits, season, 0.0 if state["non_negative"] else -np.inf)


def is_installed() -> bool:
    """Whether the methods can be fitted and asked here."""
    return find_spec("statsforecast") is not None


def absent(origins: Origins) -> list[str]:
    """Why the methods are not run, in a sentence; nothing where they are."""
    names = ", ".join(STATISTICAL)
    if not is_installed():
        return [f"{names} are not in this table, as statsforecast is not installed: {_INSTALL}."]
    series = len(np.unique(origins.index[:, :2], axis=0))
    if series > MOST_SERIES:
        return [
            f"{names} are not in this table: each series is fitted by itself, which is done for up to {MOST_SERIES} "
            f"series, and these are {series:,}."
        ]
    return []


def _model(kind: str, season: int) -> Any:
    with warnings.catch_warnings():
        # A progress bar that nobody sees misses its widgets in a notebook.
        warnings.filterwarnings("ignore", message="IProgress not found")
        from statsforecast import models
    return getattr(models, kind)(season_length=season)


def _fitted(kind: str, season: int, values: np.ndarray) -> Any:
    """A model fitted to a series; None where statsforecast cannot, as to one of a few values."""
    with _silent(), contextlib.suppress(*_CANNOT):
        return _model(kind, season).fit(values)
    return None


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Without what statsforecast, and what it uses, say of values that they try and give up."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def borne_out(said: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Quantiles whose first step reaches as far as a model's one-step errors do.

    Args:
        said: Those of the model, shape (horizon, levels).
        errors: What its one-step forecasts were off by, the last one last, shape (steps,); what is no number is
            left out.
    """
    sizes = np.abs(errors[_BEGINNING:])
    sizes = sizes[np.isfinite(sizes)]
    reach = (said[0, :MEDIAN:-1] - said[0, :MEDIAN]) / 2
    if not (len(sizes) and (reach > 0).all()):
        return said
    order = np.argsort(sizes)
    weights = 0.5 ** (np.arange(len(sizes))[::-1] / _HALF_LIFE)
    counted = weights[order].cumsum()
    borne_out = sizes[order[np.searchsorted(counted, (1 - PROMISED) * counted[-1])]]
    ratio = np.clip(borne_out / reach, 1 / _MOST_STRETCH, _MOST_STRETCH)
    factors = np.ones(len(LEVELS))
    factors[:MEDIAN] = ratio ** (counted[-1] / (counted[-1] + _PRIOR))
    factors[:MEDIAN:-1] = factors[:MEDIAN]
    return stretched(said[None], factors[None])[0]


def _quantiles(answer: Mapping[str, np.ndarray]) -> np.ndarray:
    quantiles = np.empty((len(answer["mean"]), len(LEVELS)))
    quantiles[:, MEDIAN] = answer["mean"]
    for percent, (low, high) in _PERCENTS.items():
        quantiles[:, low], quantiles[:, high] = answer[f"lo-{percent}"], answer[f"hi-{percent}"]
    return quantiles


def _ets_parts(fitted: Mapping[str, Any]) -> dict[str, Any]:
    # JSON has no NaN, which stands for a smoothing that the form does not have.
    par = [float(value) if np.isfinite(value) else None for value in fitted["par"]]
    return {"components": str(fitted["components"]), "par": par, "fitted": int(fitted["n_params"])}


def _ets_whole(parts: Mapping[str, Any], season: int) -> dict[str, Any]:
    components, par = str(parts["components"]), np.array(parts["par"], dtype=np.float64)
    if not re.fullmatch("[AM][NAM][NAM][ND]", components):
        raise ValueError(f'exponential smoothing of the form "{components}"')
    size = 4 + 1 + (components[1] != "N") + season * (components[2] != "N")
    if par.shape != (size,):
        raise ValueError(f"exponential smoothing with {par.size} numbers, expected {size}")
    return {"components": components, "par": par, "m": season, "n_params": int(parts["fitted"]), "fit": None}


def _theta_parts(fitted: Mapping[str, Any]) -> dict[str, Any]:
    names = ("initial_smoothed", "alpha", "theta")
    return {"form": fitted["modeltype"], **{name: float(fitted["par"][name]) for name in names}}


def _theta_whole(parts: Mapping[str, Any], season: int) -> dict[str, Any]:
    if parts["form"] not in ("STM", "OTM", "DSTM", "DOTM"):
        raise ValueError(f'the theta method of the form "{parts["form"]}"')
    par = {name: float(parts[name]) for name in ("initial_smoothed", "alpha", "theta")}
    return {"modeltype": parts["form"], "m": season, "par": par}


def _arima_parts(fitted: Mapping[str, Any]) -> dict[str, Any]:
    coefficients = {name: float(value) for name, value in fitted["coef"].items()}
    sizes = {"steps": len(fitted["x"]), "variance": float(fitted["sigma2"])}
    return {"orders": [int(order) for order in fitted["arma"]], "coefficients": coefficients, **sizes}


def _arima_whole(parts: Mapping[str, Any], season: int) -> dict[str, Any]:
    orders = tuple(int(order) for order in parts["orders"])
    coefficients = {str(name): float(value) for name, value in parts["coefficients"].items()}
    steps, is_short = int(parts["steps"]), all(0 <= order <= 10 for order in (*orders[:4], *orders[5:]))
    extra = [name for name in coefficients if name in ("drift", "intercept")]
    if len(orders) != 7 or not is_short or orders[4] not in (1, season) or not 1 <= steps <= _MOST_VALUES:
        raise ValueError(f"ARIMA of the orders {list(orders)} on {steps} values")
    if len(coefficients) - len(extra) != sum(orders[:4]) or not all(map(math.isfinite, coefficients.values())):
        raise ValueError(f"ARIMA of the orders {list(orders)} with the coefficients {', '.join(coefficients)}")
    drift = np.arange(1, steps + 1, dtype=np.float64)[:, None] if "drift" in coefficients else None
    return {
        "arma": orders,
        "coef": coefficients,
        "sigma2": float(parts["variance"]),
        "xreg": drift,
        "x": np.zeros(steps),
        "lambda": None,
    }


_PARTS = {"AutoETS": _ets_parts, "AutoTheta": _theta_parts, "AutoARIMA": _arima_parts}
_WHOLE = {"AutoETS": _ets_whole, "AutoTheta": _theta_whole, "AutoARIMA": _arima_whole}
