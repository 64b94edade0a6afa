"""Looking inside: traces of gates and states, gradient flow, attribution, measured memory, and the live page."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gatework.inside._retention import half_lives, retention
    from gatework.inside._saturation import saturation
    from gatework.inside.attribution import Attribution, attribute
    from gatework.inside.gradients import GradientFlow, gradient_flow
    from gatework.inside.signals import inside_quotes, rank_units
    from gatework.inside.traces import Trace, trace

_HOMES = {
    "Attribution": "attribution",
    "GradientFlow": "gradients",
    "Trace": "traces",
    "attribute": "attribution",
    "gradient_flow": "gradients",
    "half_lives": "_retention",
    "inside_quotes": "signals",
    "rank_units": "signals",
    "retention": "_retention",
    "saturation": "_saturation",
    "trace": "traces",
    "write_page": "page",
}

__all__ = [
    "Attribution",
    "GradientFlow",
    "Trace",
    "attribute",
    "figures",
    "gradient_flow",
    "half_lives",
    "inside_quotes",
    "rank_units",
    "retention",
    "saturation",
    "trace",
    "write_page",
]


def __getattr__(name: str) -> Any:
    if name == "figures":
        return import_module("gatework.inside.figures")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
