"""Looking inside: traces of gates and states, gradient flow, attribution, measured memory, and the live page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.inside import figures
    from gatework.inside._retention import half_lives, retention
    from gatework.inside._saturation import saturation
    from gatework.inside.attribution import Attribution, attribute
    from gatework.inside.gradients import GradientFlow, gradient_flow
    from gatework.inside.page import write_page
    from gatework.inside.signals import inside_quotes, rank_units
    from gatework.inside.traces import Trace, trace

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

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_retention": ("half_lives", "retention"),
        "_saturation": ("saturation",),
        "attribution": ("Attribution", "attribute"),
        "gradients": ("GradientFlow", "gradient_flow"),
        "page": ("write_page",),
        "signals": ("inside_quotes", "rank_units"),
        "traces": ("Trace", "trace"),
    },
    modules=("figures",),
)
