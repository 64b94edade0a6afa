"""The Triton kernels of a cell with what acts on its states: printed from its equations, compiled on first use.

Triton is there with torch for a GPU. On a CPU its interpreter runs the kernels, where TRITON_INTERPRET=1 is set before
this module is imported: slowly, and only to check them.
"""

from __future__ import annotations

import importlib.util
import linecache
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from gatework.cells import CellSpec, _emit_triton
from gatework.cells._derive import Derivation, derive
from gatework.cells._symbol import Symbol
from gatework.cells.options import STATE_OPTIONS
from gatework.scan.options import StepOptions

_DTYPES = (torch.float32, torch.float64)


@dataclass(frozen=True)
class StepKernels:
    """The kernels of one step.

    Attributes:
        derivation: What they were printed from.
        source: Their text.
        forward: The step.
        backward: Its derivative.
        shares: The inputs that are drawn at each step, as (option, state).
        is_joint: Whether both products have one gradient.
    """

    derivation: Derivation
    source: str
    forward: Any
    backward: Any
    shares: tuple[tuple[str, str], ...]
    is_joint: bool


@cache
def is_there() -> bool:
    """Whether Triton is installed."""
    return importlib.util.find_spec("triton") is not None


def is_interpreted() -> bool:
    """Whether Triton's interpreter runs the kernels, on the CPU."""
    return os.environ.get("TRITON_INTERPRET") == "1"


def takes(weight: Tensor, options: StepOptions) -> bool:
    """Whether the kernels compute with tensors of the device and dtype of `weight`, and with these options."""
    if weight.dtype not in _DTYPES or options.norms is not None or not is_there():
        return False
    return weight.is_cuda or (weight.device.type == "cpu" and is_interpreted())


def find(spec: CellSpec, options: StepOptions) -> StepKernels:
    """The kernels of a cell; numbers of options are part of their text."""
    numbers = tuple(
        (option.name, state, options.number(option, state), option.is_drawn and options.training)
        for state in spec.states
        for option in STATE_OPTIONS
        if options.number(option, state) != option.neutral
    )
    return _find(spec, numbers)


@cache
def _find(spec: CellSpec, numbers: tuple[tuple[str, str, float, bool], ...]) -> StepKernels:
    derivation = derive(spec, after=lambda before, named: _after(before, named, numbers))
    source = _emit_triton.kernels(derivation)
    forward, backward = _compiled(source, spec.name)
    marked = (value.removeprefix(_emit_triton.SHARE) for value in _emit_triton.shares(derivation))
    drawn = [(option, state) for option, _, state in (value.partition(" ") for value in marked)]
    return StepKernels(derivation, source, forward, backward, tuple(drawn), _emit_triton.is_joint(derivation))


def _after(
    before: Mapping[str, Symbol], named: Mapping[str, Symbol], numbers: tuple[tuple[str, str, float, bool], ...]
) -> dict[str, Symbol]:
    """What the options make of the new states."""
    values, options = dict(named), {option.name: option for option in STATE_OPTIONS}
    for name, state, number, is_drawn in numbers:
        graph = before[state].graph
        share = graph.input(f"{_emit_triton.SHARE}{name} {state}") if is_drawn else graph.constant(number)
        values[state] = options[name].apply(before[state], values[state], share)
    return values


def _compiled(source: str, name: str) -> tuple[Any, Any]:
    """The kernels of a text; Triton reads it where tracebacks do, and never from a file."""
    path = f"<triton kernels of {name}, {len(linecache.cache)}>"
    linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
    names: dict[str, Any] = {"__name__": __name__}
    exec(compile(source, path, "exec"), names)
    return names["forward"], names["backward"]
