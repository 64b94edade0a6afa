"""What a cell is to the rest of the library: a `step()` and the names that its signature gives.

The parameters of `step()` say everything that a scan needs to know:

| parameter | meaning |
| --- | --- |
| `a_<gate>` | the gate's input and recurrent products, added: `W x_t + b + U h_{t-1} + b'` |
| `x_<gate>` | the gate's input product alone: `W x_t + b` |
| `u_<gate>` | the gate's recurrent product alone: `U h_{t-1} + b'` |
| `p_<name>` | a learnt vector with one number for each unit, such as a peephole weight |
| `<state>`  | the previous value of a state that `step()` returns |

The order in which gates appear is the order of their row blocks: in `weight_ih` of those that an input product feeds,
in `weight_hh` of those that a recurrent product feeds. The vectors are the rows of `weight_unit`. `step()` returns a
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
        unit_range: What the learnt vectors are drawn from at first, uniformly; as all other weights if None.
    """

    name: str
    title: str
    step: Step
    states: tuple[str, ...] = ("h",)
    forget_gate: str | None = None
    unit_range: tuple[float, float] | None = None

    def __hash__(self) -> int:
        # Looked up at every call of a layer.
        return hash(self.name)

    @property
    def where(self) -> str:
        """The file and line of `step()`, for messages."""
        code = inspect.unwrap(self.step).__code__
        return f"{code.co_filename}:{code.co_firstlineno}"

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """The parameters of `step()`, in order."""
        return tuple(inspect.signature(self.step).parameters)

    @cached_property
    def sources(self) -> tuple[tuple[str, int], ...]:
        """Where each parameter of `step()` comes from.

        `a` and the place of the gate among all gates; `x` and its place in `weight_ih`; `u` and its place in
        `weight_hh`; `p` and the row of `weight_unit`; or `state` and which state.
        """
        places = {"x": self.input_gates, "u": self.recurrent_gates, "p": self.unit_weights}
        sources = []
        for argument in self.arguments:
            kind, name = self._parts(argument)
            order = self.states if kind == "state" else places.get(kind, self.input_gates)
            sources.append((kind, order.index(name)))
        return tuple(sources)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Everything that `step()` returns by name, in order."""
        return tuple(self.step(*[torch.empty(0) for _ in self.arguments]))

    @cached_property
    def gates(self) -> tuple[str, ...]:
        """Every gate, in the order in which they first appear."""
        for gate in self._fed("a"):
            if f"x_{gate}" in self.arguments or f"u_{gate}" in self.arguments:
                raise UsageError(
                    f'{self.where}: step() of cell "{self.name}" has a_{gate}, both products of the gate, and one '
                    f"of them once more; take a_{gate} alone, or x_{gate} and u_{gate}"
                )
        return self._fed("axu")

    @cached_property
    def input_gates(self) -> tuple[str, ...]:
        """The gates that the input product feeds, in the order of their row blocks in `weight_ih`."""
        return self._fed("ax")

    @cached_property
    def recurrent_gates(self) -> tuple[str, ...]:
        """The gates that the recurrent product feeds, in the order of their row blocks in `weight_hh`."""
        return self._fed("au")

    @cached_property
    def unit_weights(self) -> tuple[str, ...]:
        """The learnt vectors with one number for each unit, in the order of the rows of `weight_unit`."""
        return self._fed("p")

    def _fed(self, kinds: str) -> tuple[str, ...]:
        parts = [self._parts(argument) for argument in self.arguments]
        return tuple(dict.fromkeys(name for kind, name in parts if kind in kinds))

    def _parts(self, argument: str) -> tuple[str, str]:
        """The kind of a parameter of `step()` and the name of its gate, vector or state."""
        if argument in self.states:
            return "state", argument
        kind, _, name = argument.partition("_")
        if kind in ("a", "x", "u", "p") and name:
            return kind, name
        raise UsageError(
            f'cell "{self.name}": the parameter "{argument}" of step() is neither a_<gate>, x_<gate>, u_<gate>, '
            f"p_<vector> nor one of the states {', '.join(self.states)}; rename it"
        )
