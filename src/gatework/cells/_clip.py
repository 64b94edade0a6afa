"""A cell whose carried state stays within bounds: a cell of its own, derived and compiled as any other."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import torch

from gatework.cells._own import Cell
from gatework.cells._spec import CellSpec
from gatework.errors import UsageError


class Clipped(Cell):
    """A cell that is another one with its cell state clipped."""

    __hash__ = Cell.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return clipped, (self.step.base, self.step.limit)  # type: ignore[attr-defined]


@functools.cache
def clipped(spec: CellSpec, limit: float) -> Clipped:
    """The cell with the state c that is carried to the next step within `limit` of 0.

    The output h of the step itself is made of the state before it is clipped.

    Raises:
        UsageError: The cell has no state c.
    """
    from gatework.cells import REGISTRY

    if "c" not in spec.states:
        raise UsageError(f'clip={limit:g} does nothing: the cell "{spec.name}" has no cell state c; leave it out')

    @functools.wraps(spec.step)
    def step(*arguments: Any, **named: Any) -> Mapping[str, Any]:
        values = dict(spec.step(*arguments, **named))
        c = values["c"]
        values["c"] = torch.where(c > limit, limit, torch.where(c < -limit, -limit, c))
        return values

    step.base, step.limit = spec, limit  # type: ignore[attr-defined]
    name = f"{spec.name}_clip_{limit:g}".translate(str.maketrans(".-+", "___"))
    title = f"{spec.title}, state clipped to {limit:g}"
    made = Clipped(name, title, step, spec.states, spec.forget_gate, spec.unit_range)
    REGISTRY[name] = made
    return made
