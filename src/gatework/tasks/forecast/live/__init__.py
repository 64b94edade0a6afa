"""The live page of a forecaster: a point of the past is dragged; the forecast, its intervals and the gates follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gatework.tasks._live import Live, LivePart, short_numbers
from gatework.tasks.forecast import counts
from gatework.tasks.forecast.distributions import standard
from gatework.tasks.forecast.linear import LEAST_SPREAD
from gatework.tasks.forecast.metrics import LEVELS, MEDIAN
from gatework.tasks.forecast.options import COUNTS
from gatework.tasks.forecast.window_store import added_by_effects
from gatework.tasks.forecast.windows import origins_of

if TYPE_CHECKING:
    from gatework.tasks.forecast.model import ForecastNetwork
    from gatework.tasks.forecast.options import ForecastOptions
    from gatework.tasks.forecast.window_store import Features, OriginExamples
    from gatework.tasks.forecast.windows import Origins

MOST_WINDOWS = 12
"""So many windows a page offers at most: each is some numbers for every step of the past."""


class Stretching(NamedTuple):
    """What becomes of the network's quantiles at each window.

    Attributes:
        factors: By how much the intervals are stretched, shape (windows, levels).
        rests: The rules by which steps are 0, as `Rests.of_windows()` gives them.
    """

    factors: np.ndarray
    rests: list[list[dict[str, Any]]]


def live(
    model: ForecastNetwork,
    plan: ForecastOptions,
    features: Features,
    examples: OriginExamples,
    stretch: Stretching,
    *,
    answered_by: str,
) -> Live | None:
    """What the page holds of a forecaster; None where its layers go both ways, which no decoder here does.

    Args:
        model: The network.
        plan: The window, the horizon and all else that was decided.
        features: How columns become inputs.
        examples: The windows that the page offers.
        stretch: What becomes of the network's quantiles at each.
        answered_by: What answers beside the network, in words; empty where it answers alone.
    """
    if model.recurrent.num_directions > 1:
        return None
    log, (answering,) = features.log, model.answering
    about = {
        "plan": {name: getattr(plan, name) for name in ("window", "horizon", "segment", "season", "skip", "scaling")},
        "isRecursive": model.is_recursive,
        "levels": LEVELS,
        "standard": standard(answering) if answering in ("normal", "student") else [],
        "law": _law() if answering == COUNTS else None,
        # Where validation chose free quantiles beside the law of counts, that still decodes.
        "head": "free_" if answering != model.distribution else "",
        "again": {"outputs": model.outputs, "place": MEDIAN if model.distribution == "free" else 0},
        "leastSpread": LEAST_SPREAD,
        "log": None if log is None else {"offset": log.offset, "least": log.least},
        "linear": [] if features.linear is None else features.linear.weights.T.tolist(),
        "least": 0.0 if plan.non_negative else None,
        "answeredBy": answered_by,
        "missingAhead": _missing_ahead(origins_of(examples.split)),
        # What the names of the other networks' weights begin with.
        "others": [f"others.{k}." for k in range(len(model.others))],
        "windows": _windows(examples, plan, stretch, features),
    }
    part = LivePart.of(__package__, "Forecasting with", ("forecaster.js", "chart.js", "live.js"))
    layers: dict[str, Any] = {"": model, **{f"others.{k}.": other for k, other in enumerate(model.others)}}
    return Live(part, {f"{prefix}recurrent": each.recurrent for prefix, each in layers.items()}, about)


def _missing_ahead(origins: Origins) -> list[str]:
    """The columns known ahead, where they end with the table, so that its own last steps are what is forecast."""
    are_past = any(step < len(origins.table.series[number]) for number, _, step in origins.index.tolist())
    return list(origins.table.columns.known) if are_past else []


def _law() -> dict[str, Any]:
    """The constants of a law of counts."""
    names = ("FIRST_DISPERSION", "FIRST_ZEROS", "LOG_MEAN", "LOG_DISPERSION")
    return {name: getattr(counts, name) for name in names}


def _windows(
    examples: OriginExamples, plan: ForecastOptions, stretch: Stretching, features: Features
) -> list[dict[str, Any]]:
    origins, batch = origins_of(examples.split), examples.batch(np.arange(len(examples)))
    histories, spread = origins.histories(plan.window), examples.spread
    added = np.zeros((len(origins), plan.window + plan.horizon))
    if features.effects is not None:
        given = batch.inputs.numpy(), batch.ahead.numpy()
        added = np.concatenate(added_by_effects(*given, origins.index[:, 1], spread, features), axis=1)
    windows = []
    for k, (number, target, step) in enumerate(origins.index.tolist()):
        series = origins.table.series[number]
        positions = series.start + np.arange(step - plan.window, step + plan.horizon)
        title = ": ".join(name for name in (series.name, origins.table.columns.targets[target]) if name)
        windows.append(
            {
                "title": title,
                "times": [str(time) for time in origins.table.stamps(positions)],
                "values": histories[k].tolist(),
                "seen": batch.inputs[k, :, 1].int().tolist(),
                "beside": short_numbers(batch.inputs[k, :, 2:].numpy()),
                "ahead": short_numbers(batch.ahead[k].numpy()),
                "static": short_numbers(batch.static[k].numpy()),
                "spread": float(spread[k]),
                # What is known adds: the network reads, and forecasts, the rest.
                "added": added[k].tolist(),
                "factors": stretch.factors[k].tolist(),
                "rests": stretch.rests[k],
            }
        )
    return windows
