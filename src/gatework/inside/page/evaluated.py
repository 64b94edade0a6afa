"""The cell as a trained network runs it: with its state clipped, and with the mean of zoneout, as equations."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any

from gatework.cells import CellSpec
from gatework.cells._clip import Clipped, clipped
from gatework.nn import RecurrentLayer


def evaluated(layer: RecurrentLayer) -> CellSpec:
    """The cell of a layer with what acts around it in evaluation, but for the layer norm."""
    spec, options = layer.spec, layer.options
    if options.clip is not None and not isinstance(spec, Clipped):
        spec = clipped(spec, float(options.clip))
    shares = options.zoneout_of(spec)
    return _averaged(spec, shares) if shares else spec


def _averaged(spec: CellSpec, shares: Mapping[str, float]) -> CellSpec:
    """The cell whose states keep a share of their previous values."""
    arguments = [*spec.arguments, *(state for state in shares if state not in spec.arguments)]

    @functools.wraps(spec.step)
    def step(*values: Any, **named: Any) -> Mapping[str, Any]:
        given = dict(zip(arguments, values, strict=False)) | named
        found = dict(spec.step(*(given[name] for name in spec.arguments)))
        return found | {s: share * given[s] + (1 - share) * found[s] for s, share in shares.items()}

    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in arguments]
    step.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    kept = "_".join(f"{state}_{share:g}" for state, share in shares.items())
    return CellSpec(f"{spec.name}_zoneout_{kept}", spec.title, step, spec.states, spec.forget_gate, spec.unit_range)
