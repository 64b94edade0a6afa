"""What a cell is to the rest of the library: a `step()` and the names that its signature gives.

The parameters of `step()` say everything that a scan needs to know:

| parameter | meaning |
| --- | --- |
| `a_<gate>` | the gate's input and recurrent products, added: `W x_t + b + U h_{t-1} + b'` |
| `x_<gate>` | the gate's input product alone: `W x_t + b` |
| `u_<gate>` | the gate's recurrent product alone: `U h_{t-1} + b'` |
| `<state>`  | the previous value of a state that `step()` returns |

The order in which gates appear is the order of their row blocks in `weight_ih` and `weight_hh`. `step()` returns a
dictionary of every named gate and state of the step; `h` is the cell's output and what the recurrent product sees next.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from gatework.errors import UsageError

Step = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True)
class CellSpec:
    """One recurrent cell.

    Attributes:
        name: The name in the registry, on the command line and in reports.
        title: A readable name with its source.
        step: The equations of one time step, written with torch functions on tensors of shape (batch, hidden).
        states: The states carried from step to step, the output `h` first.
        forget_gate: The gate whose bias remembers when it is large, if there is one.
    """

    name: str
    title: str
    step: Step
    states: tuple[str, ...] = ("h",)
    forget_gate: str | None = None

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """The parameters of `step()`, in order."""
        return tuple(inspect.signature(self.step).parameters)

    @cached_property
    def sources(self) -> tuple[tuple[str, int], ...]:
        """Where each parameter of `step()` comes from: `a`, `x` or `u` and which gate, or `state` and which state."""
        return tuple(
            ("state", self.states.index(argument))
            if argument in self.states
            else (argument[0], self.gates.index(argument[2:]))
            for argument in self.arguments
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Everything that `step()` returns by name, in order."""
        return tuple(self.step(*[torch.empty(0) for _ in self.arguments]))

    @cached_property
    def gates(self) -> tuple[str, ...]:
        """The gates in the order of their row blocks in the weight matrices."""
        names: dict[str, None] = {}
        for argument in self.arguments:
            kind, _, gate = argument.partition("_")
            if kind in ("a", "x", "u") and gate:
                names[gate] = None
            elif argument not in self.states:
                raise UsageError(
                    f'cell "{self.name}": the parameter "{argument}" of step() is neither a_<gate>, x_<gate>, u_<gate> '
                    f"nor one of the states {', '.join(self.states)}; rename it"
                )
        return tuple(names)
