"""A stack of layers, scan by scan: for every computer of one scan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gatework.cells import CellSpec
from gatework.scan.options import PLAIN, StepOptions
from gatework.scan.scan import Scan, ScanWeights


class StackResult(NamedTuple):
    """What a stack gives.

    Attributes:
        output: The output of the last layer, directions side by side.
        finals: The final states, each (layers x directions, batch, features).
        traces: Every gate and state by name, by layer and direction; empty where they were not asked for.
    """

    output: Tensor
    finals: Sequence[Tensor]
    traces: list[dict[str, Tensor]]


class StackScan(NamedTuple):
    """Layers on top of each other, the directions of each side by side, over a batch of sequences.

    Attributes:
        spec: The cell.
        x: The input of the first layer.
        weights: The weights by layer, then direction.
        states: The initial states, each (layers x directions, batch, features).
        directions: 1, or 2.
        batch_sizes: The number of sequences running at each step of packed rows.
        options: What acts around the cell in each scan, in the order of the weights; empty for nothing.
    """

    spec: CellSpec
    x: Tensor
    weights: Sequence[ScanWeights]
    states: Sequence[Tensor]
    directions: int
    batch_sizes: Tensor | None
    options: Sequence[StepOptions] = ()

    def part(self, first: int, count: int, x: Tensor) -> StackScan:
        """The scans from one on, on another input."""
        part = slice(first, first + count)
        states = [state[part] for state in self.states]
        return self._replace(x=x, weights=self.weights[part], states=states, options=self.options[part])


def run(one: Callable[[Scan], tuple[Any, ...]], stack: StackScan) -> StackResult:
    """Run a stack scan by scan.

    Args:
        one: `run()` or `trace()` of what computes one scan.
        stack: The stack.
    """
    x, finals, traces = stack.x, [], []
    outputs: list[Tensor] = []
    for place, weights in enumerate(stack.weights):
        states = tuple(state[place] for state in stack.states)
        options = stack.options[place] if stack.options else PLAIN
        is_reverse = place % stack.directions == 1
        output, ends, *named = one(Scan(stack.spec, x, weights, states, stack.batch_sizes, is_reverse, options))
        outputs.append(output)
        finals.append(ends)
        traces.extend(named)
        if len(outputs) == stack.directions:
            x = side_by_side(outputs)
            outputs = []
    joined = [torch.stack(ends) for ends in zip(*finals, strict=True)]
    return StackResult(x, [end.to(state.dtype) for end, state in zip(joined, stack.states, strict=True)], traces)


def side_by_side(outputs: Sequence[Tensor]) -> Tensor:
    """The outputs of the directions of a layer as one."""
    return outputs[0] if len(outputs) == 1 else torch.cat(tuple(outputs), -1)
