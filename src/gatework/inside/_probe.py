"""A network run once so that the gradient with respect to every state and input of every step can be asked for.

Every new state gets a zero added to it that is a leaf of the graph: the gradient with respect to that zero is the
gradient with respect to the state. This is done after all that acts around the cell, in the reference of the layer's
scan; the rest of the network's own code runs unchanged.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from gatework.cells import CellSpec
from gatework.errors import UsageError
from gatework.inside._sources import answered, recurrent_of
from gatework.nn import RecurrentLayer
from gatework.nn._arrange import ArrangedBatch
from gatework.scan import reference, stack
from gatework.scan.options import StepOptions
from gatework.scan.stack import StackResult, StackScan

Change = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Probe:
    """What a probed run gave.

    Attributes:
        layer: The recurrent layer.
        outputs: What the network gave.
        inputs: The recurrent layer's input, a leaf of the graph, in the layer's own layout.
        leaves: By place (layer x directions + direction), then by step, then by state: the zero that was added, shape
            (sequences running at that step, units).
    """

    layer: RecurrentLayer
    outputs: Any
    inputs: Tensor
    leaves: list[list[dict[str, Tensor]]]


def probe(network: nn.Module, batch: Any, change: Change = lambda x: x, *, is_watched: bool = True) -> Probe:
    """Runs a network (or a bare layer) on a batch, without dropout.

    Args:
        network: The network; it and its weights are left as they are.
        batch: What it is called with. Its sequences must be sorted by decreasing length.
        change: What to make of the recurrent layer's input, such as scaling it.
        is_watched: Whether the states' gradients are wanted, not only the inputs'.

    Raises:
        UsageError: The network has no recurrent layer, or several.
    """
    layer = recurrent_of(network)
    calls: list[dict[str, Tensor]] = []
    watched = copy.copy(layer)
    if is_watched:
        watched.__dict__ |= {"_run": _watched_run(layer, calls), "_direct_scan": lambda *_: None}
    watched.training = False
    inputs: list[Tensor] = []

    def enter(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        if not isinstance(args[0], Tensor):
            raise UsageError("gradients need padded sequences with lengths=; unpack the PackedSequence first")
        inputs.append(change(args[0].detach()).detach().requires_grad_())
        return (inputs[-1], *args[1:])

    handle = watched.register_forward_pre_hook(enter)
    try:
        outputs = answered(_replaced(network, watched), batch)
    finally:
        handle.remove()
    places = layer.num_layers * layer.num_directions
    steps = len(calls) // places
    by_place = [calls[place * steps : (place + 1) * steps] for place in range(places)]
    for place in range(places):
        if place % layer.num_directions:
            by_place[place].reverse()
    return Probe(layer, outputs, inputs[0], by_place)


@dataclass(frozen=True)
class _Watching(StepOptions):
    """What acts around the cell, and then the zero that is added to each state, noted by step."""

    calls: list[dict[str, Tensor]] = field(default_factory=list)

    def carried(self, spec: CellSpec, time: int, before: Sequence[Tensor], values: dict[str, Tensor]) -> None:
        super().carried(spec, time, before, values)
        leaves = {name: torch.zeros_like(values[name]).requires_grad_() for name in spec.states}
        self.calls.append(leaves)
        values |= {name: values[name] + leaf for name, leaf in leaves.items()}


def _watched_run(layer: RecurrentLayer, calls: list[dict[str, Tensor]]) -> Callable[[ArrangedBatch], StackResult]:
    """As `RecurrentLayer._run()` in evaluation, by the reference."""

    def run(batch: ArrangedBatch) -> StackResult:
        places = range(layer.num_layers * layer.num_directions)
        options = [_Watching(**vars(layer.step_options(place, None)), calls=calls) for place in places]
        weights = [layer.weights_at(place) for place in places]
        scans = StackScan(layer.spec, batch.x, weights, batch.states, layer.num_directions, batch.batch_sizes, options)
        return stack.run(reference.run, scans)

    return run


def _replaced(module: nn.Module, watched: nn.Module) -> nn.Module:
    """The network in evaluation mode with its recurrent layer replaced; nothing of the original is touched."""
    if isinstance(module, (RecurrentLayer, nn.RNNBase)):
        return watched
    clone = copy.copy(module)
    clone.__dict__["_modules"] = {name: child and _replaced(child, watched) for name, child in module._modules.items()}
    clone.training = False
    return clone
