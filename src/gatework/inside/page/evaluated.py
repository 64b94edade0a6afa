"""The cell as a trained network runs it: its equations with the layer norm, the clipped state, the mean of zoneout."""

from __future__ import annotations

from collections.abc import Mapping

from gatework.cells._derive import Derivation, derive
from gatework.cells._symbol import Symbol
from gatework.cells.options import STATE_OPTIONS
from gatework.nn import RecurrentLayer


def evaluated(layer: RecurrentLayer) -> tuple[str, Derivation]:
    """The equations of a layer's cell with what acts around it in evaluation, and a name of their own."""
    spec, options = layer.spec, layer.options
    numbers = options.after(spec)

    def after(before: Mapping[str, Symbol], named: Mapping[str, Symbol]) -> Mapping[str, Symbol]:
        carried = dict(named)
        for option in STATE_OPTIONS:
            for state, number in numbers[option.name].items():
                carried[state] = option.apply(before[state], carried[state], number)
        return carried

    about = [f"{name}_{value:g}" for name, value in [*numbers["zoneout"].items(), *_clips(numbers["clip"])]]
    about += ["normalised"] * options.layer_norm
    return "_".join([spec.name, *about]), derive(spec, is_normalised=options.layer_norm, after=after)


def _clips(limits: Mapping[str, float]) -> list[tuple[str, float]]:
    return [("clip", limit) for limit in limits.values()]
