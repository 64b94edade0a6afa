r"""Gradient flow: how much of the loss's gradient reaches each earlier step.

The state is all that the next step sees: `h` for an RNN or a GRU, `h` and `c` for an LSTM. Its gradient at step $t$ is
$\partial L / \partial (h_t, c_t)$, with $h_t$ and $c_t$ as separate coordinates; what the weights learn from that step
is proportional to it.

Source: Y. Bengio, P. Simard and P. Frasconi, "Learning long-term dependencies with gradient descent is difficult", IEEE
Transactions on Neural Networks 5(2), 1994.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from gatework.cells import CellSpec
from gatework.data.dataset import Batch, Split
from gatework.errors import UsageError
from gatework.inside._equations import retention_gates
from gatework.inside._probe import Probe, probe
from gatework.inside._sources import read, sequence_task
from gatework.inside.traces import trace
from gatework.training.run import Run

Moment = Literal["trained", "start"]
GONE, GROWN = 1e-2, 1e2
"""A gradient has vanished below this share of its norm at the last step, and exploded above this multiple of it."""


@dataclass(frozen=True)
class GradientFlow:
    """Norms of the gradient of each sequence's loss, by how many steps back from the scan's last step.

    Attributes:
        spec: The cell.
        states: By state: shape (layers, directions, steps back, sequences), missing (NaN) before a sequence's start.
        inputs: With respect to the recurrent layer's inputs, shape (steps back, sequences).
        carried: By state with a gate that keeps it: the product of that gate from each step to the last one, mean over
            units, in the shape of `states`; what the state itself would carry back on its own.
    """

    spec: CellSpec
    states: Mapping[str, np.ndarray]
    inputs: np.ndarray
    carried: Mapping[str, np.ndarray]

    def state(self, layer: int = -1, direction: int = 0) -> np.ndarray:
        """The norm with respect to all states together, shape (steps back, sequences)."""
        return np.sqrt(sum(values[layer, direction] ** 2 for values in self.states.values()))

    def curve(self, layer: int = -1, direction: int = 0) -> np.ndarray:
        """The median over sequences of the state's norm over that at the last step, shape (steps back,)."""
        norms = self.state(layer, direction)
        last = norms[0]
        return _median(norms / np.where(last > 0, last, np.nan))

    def carried_curve(self, layer: int = -1, direction: int = 0) -> np.ndarray | None:
        """The median over sequences of `carried`, shape (steps back,); None where no gate keeps the state."""
        products = list(self.carried.values())
        return _median(products[0][layer, direction]) if products else None

    def finding(self, layer: int = -1, direction: int = 0) -> Finding:
        """What the curve amounts to."""
        return Finding.of(self.curve(layer, direction))


@dataclass(frozen=True)
class Finding:
    """A gradient curve in words.

    Attributes:
        name: "vanishing", "exploding" or "steady"; "none" where no gradient arrives at all.
        reach: Steps back from which the norm stays below 1 % of that at the last step; None where it never does.
        earliest: The norm at the earliest step as a multiple of that at the last one.
        highest: The largest such multiple at any step.
        steps: How many steps back the curve goes.
    """

    name: str
    reach: int | None
    earliest: float
    highest: float
    steps: int

    @classmethod
    def of(cls, curve: np.ndarray) -> Finding:
        """The finding for a curve that starts at 1."""
        if not len(curve) or not np.isfinite(curve).any():
            return cls("none", 0, 0.0, 0.0, len(curve))
        known = np.nan_to_num(curve, nan=0.0)
        is_below = known < GONE
        reach = None
        if is_below[-1]:
            above = np.flatnonzero(~is_below)
            reach = int(above[-1]) + 1 if len(above) else 0
        highest = float(known.max())
        name = "exploding" if highest > GROWN else "vanishing" if reach is not None else "steady"
        return cls(name, reach, float(known[-1]), highest, len(curve) - 1)

    @property
    def brief(self) -> str:
        """The finding in a word or two."""
        return f"vanishing from {self.reach}" if self.name == "vanishing" else self.name

    def sentence(self, who: str) -> str:
        """The finding as one sentence about `who`."""
        if self.name == "none":
            return f"{who}: no gradient arrives"
        if self.name == "exploding":
            return f"{who}: exploding, {self.highest:.2g} times the last step's norm somewhere on the way back"
        if self.reach is not None:
            return f"{who}: vanishing, below 1 % of the last step's norm from {self.reach} steps back"
        return f"{who}: steady, {self.earliest:.2g} of the last step's norm after {self.steps} steps"


def gradient_flow(
    source: Run | nn.Module, examples: Any, *, loss: Callable[[Any], Tensor] | None = None, at: Moment = "trained"
) -> GradientFlow:
    """The norms of the gradient at every step.

    Args:
        source: A run, or a network with one recurrent layer.
        examples: For a run, a Split with its targets (a few dozen examples do). For a network, its batch: a Batch, or
            the input tensor of a bare layer.
        loss: For a network: from its output, each sequence's loss, shape (batch,), or their sum. For a run its task's.
        at: For a run: "trained", or "start" for the weights it began with.

    Raises:
        UsageError: The examples have no targets, or there is nothing to differentiate.
    """
    if not isinstance(source, Run):
        if loss is None:
            raise UsageError("the gradient flow of a network needs loss=, a function of its output")
        return _flow(source, _sorted(examples), loss)
    if not isinstance(examples, Split):
        raise UsageError("the gradient of the loss needs known targets: give a Split, as dataset.test")
    batch = _sorted(read(source, examples).batch)
    network = source.network if at == "trained" else start(source)
    return _flow(network, batch, lambda outputs: sequence_task(source).loss_of(outputs, batch).total)


def start(run: Run) -> nn.Module:
    """The run's network with the weights that its training began with."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(run.recipe.training.seed)
        return run.task.model(run.recipe.model).eval()


def _sorted(batch: Any) -> Any:
    """A Batch with its sequences by decreasing length, which is the order of a ragged scan."""
    if not isinstance(batch, Batch):
        return batch
    order = batch.lengths.argsort(descending=True, stable=True)
    return Batch(batch.inputs[order], batch.lengths[order], batch.targets[order])


def _flow(network: nn.Module, batch: Any, loss: Callable[[Any], Tensor]) -> GradientFlow:
    with torch.enable_grad():
        probed = probe(network, batch)
        leaves = [leaf for place in probed.leaves for step in place for leaf in step.values()]
        total = loss(probed.outputs).sum()
        if not total.requires_grad:
            raise UsageError("the loss does not depend on the network's output, so there is no gradient to follow")
        grads = torch.autograd.grad(total, [*leaves, probed.inputs], allow_unused=True)
    x = probed.inputs if not probed.layer.batch_first else probed.inputs.transpose(0, 1)
    lengths = batch.lengths.numpy() if isinstance(batch, Batch) else np.full(x.shape[1], x.shape[0])
    input_grad = grads[-1]
    norms = torch.zeros(x.shape[:2]) if input_grad is None else input_grad.norm(dim=-1)
    if input_grad is not None and probed.layer.batch_first:
        norms = norms.transpose(0, 1)
    return GradientFlow(
        probed.layer.spec,
        _state_norms(probed, grads, lengths),
        _back(norms.detach().numpy(), lengths, 0),
        _carried(network, batch, lengths),
    )


def _state_norms(probed: Probe, grads: tuple[Tensor | None, ...], lengths: np.ndarray) -> dict[str, np.ndarray]:
    spec, layer = probed.layer.spec, probed.layer
    steps, batch = len(probed.leaves[0]), len(lengths)
    norms = np.zeros((len(spec.states), len(probed.leaves), steps, batch))
    remaining = iter(grads)
    for place, by_step in enumerate(probed.leaves):
        for step, leaves in enumerate(by_step):
            for index, _ in enumerate(leaves):
                grad = next(remaining)
                if grad is not None:
                    norms[index, place, step, : len(grad)] = grad.norm(dim=-1).numpy()
    shape = (layer.num_layers, layer.num_directions)
    back = np.stack(
        [
            [_back(norms_of_scan, lengths, place % layer.num_directions) for place, norms_of_scan in enumerate(state)]
            for state in norms
        ]
    )
    return {name: back[k].reshape(*shape, *back.shape[2:]) for k, name in enumerate(spec.states)}


def _carried(network: nn.Module, batch: Any, lengths: np.ndarray) -> dict[str, np.ndarray]:
    traced = trace(network, batch)
    carried = {}
    for state, gate in retention_gates(traced.spec).items():
        values = traced[gate].astype(np.float64)  # (layers, directions, time, batch, units)
        back = np.stack(
            [[_back(norms_of_scan, lengths, d) for d, norms_of_scan in enumerate(layer)] for layer in values]
        )
        # One step back the state has passed the gate of the last step once.
        before = np.concatenate([np.ones_like(back[:, :, :1]), back[:, :, :-1]], axis=2)
        carried[state] = np.where(np.isnan(back), np.nan, np.cumprod(before, axis=2)).mean(axis=-1)
    return carried


def _back(values: np.ndarray, lengths: np.ndarray, direction: int) -> np.ndarray:
    """Values of shape (time, batch, ...) by steps back from the scan's last step; NaN before a sequence's start."""
    time = len(values)
    back = np.arange(time)[:, np.newaxis]
    where = lengths - 1 - back if direction == 0 else np.broadcast_to(back, (time, len(lengths)))
    is_there = (where >= 0) & (where < lengths)
    norms_back = values[np.clip(where, 0, max(time - 1, 0)), np.arange(len(lengths))].astype(np.float64)
    norms_back[~is_there] = np.nan
    return norms_back


def _median(values: np.ndarray) -> np.ndarray:
    """The median over sequences of each step back, up to the longest sequence."""
    is_known = ~np.isnan(values).all(axis=1)
    return np.nanmedian(values[is_known], axis=1)
