"""The cell as a trained network runs it: its equations with the layer norm, the clipped state, the mean of zoneout."""

from __future__ import annotations

from collections.abc import Mapping

from gatework.cells import options as acting
from gatework.cells._derive import Derivation, derive
from gatework.cells._symbol import Symbol
from gatework.nn import RecurrentLayer


def evaluated(layer: RecurrentLayer) -> tuple[str, Derivation]:
    """The equations of a layer's cell with what acts around it in evaluation, and a name of their own."""
    spec, options = layer.spec, layer.options
    numbers = options.after(spec)

    def after(before: Mapping[str, Symbol], named: Mapping[str, Symbol]) -> Mapping[str, Symbol]:
        return {**named, **{s: acting.evaluated(s, before[s], named[s], numbers) for s in before}}

    about = [f"{name}_{state}_{number:g}" for name, states in numbers.items() for state, number in states.items()]
    about += ["normalised"] * options.layer_norm
    return "_".join([spec.name, *about]), derive(spec, is_normalised=options.layer_norm, after=after)
