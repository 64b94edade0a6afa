"""The cell as a trained network runs it, with its state clipped and the mean of zoneout, as equations of its own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any

import torch

from gatework.cells import CellSpec
from gatework.nn import RecurrentLayer


def evaluated(layer: RecurrentLayer) -> CellSpec:
    """The cell of a layer with what acts around it in evaluation, but for the layer norm."""
    spec, shares, limit = layer.spec, layer.options.zoneout_of(layer.spec), layer.options.clip_of(layer.spec)
    if not shares and limit is None:
        return spec
    arguments = [*spec.arguments, *(state for state in shares if state not in spec.arguments)]

    @functools.wraps(spec.step)
    def step(*values: Any, **named: Any) -> Mapping[str, Any]:
        given = dict(zip(arguments, values, strict=False)) | named
        found = dict(spec.step(*(given[name] for name in spec.arguments)))
        if limit is not None:
            c = found["c"]
            found["c"] = torch.where(c > limit, limit, torch.where(c < -limit, -limit, c))
        return found | {s: share * given[s] + (1 - share) * found[s] for s, share in shares.items()}

    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in arguments]
    step.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    about = "_".join(f"{name}_{value:g}" for name, value in [*shares.items(), ("clip", limit)] if value is not None)
    return CellSpec(f"{spec.name}_{about}", spec.title, step, spec.states, spec.forget_gate, spec.unit_range)
