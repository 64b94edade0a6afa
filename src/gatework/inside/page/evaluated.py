"""The cell as a trained network runs it: its equations with the layer norm, the clipped state, the mean of zoneout."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from gatework.cells._derive import Derivation, derive
from gatework.cells._symbol import Symbol
from gatework.nn import RecurrentLayer


def evaluated(layer: RecurrentLayer) -> tuple[str, Derivation]:
    """The equations of a layer's cell with what acts around it in evaluation, and a name of their own."""
    spec, options = layer.spec, layer.options
    shares, limit = options.zoneout_of(spec), options.clip_of(spec)

    def after(before: Mapping[str, Symbol], named: Mapping[str, Symbol]) -> Mapping[str, Symbol]:
        found = dict(named)
        if limit is not None:
            c = found["c"]
            found["c"] = torch.where(c > limit, limit, torch.where(c < -limit, -limit, c))  # type: ignore[call-overload]
        return found | {s: share * before[s] + (1 - share) * found[s] for s, share in shares.items()}

    about = [f"{name}_{value:g}" for name, value in [*shares.items(), ("clip", limit)] if value is not None]
    about += ["normalised"] * options.layer_norm
    return "_".join([spec.name, *about]), derive(spec, is_normalised=options.layer_norm, after=after)
