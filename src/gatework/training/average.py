r"""The average of a network's weights over its training, which often answers better than the last ones.

Over the steps: after step $n$, counted from 0, $\bar w \leftarrow \bar w + (1 - d_n)(w - \bar w)$ with
$d_n = \min(d, \frac{1 + n}{10 + n})$: the first weights are forgotten soon. Over the ends of rounds, in each of which
the learning rate falls: after the $k$-th $\bar w \leftarrow \bar w + \frac{1}{k}(w - \bar w)$, their mean.

Source: B. Polyak and A. Juditsky, "Acceleration of stochastic approximation by averaging", SIAM 1992; the exponential
form with its beginning as in TensorFlow's ExponentialMovingAverage. P. Izmailov et al., "Averaging weights leads to
wider optima and better generalization", UAI 2018, for the ends of rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

_FIRST, _AGAIN = 0.5, 0.75
"""The share of the training that the first of several rounds takes, and the height of the rate in the others."""


class Round(NamedTuple):
    """A part of a training in which the learning rate rises and falls.

    Attributes:
        place: How many are before it.
        start: Where it begins, as a share of the training.
        end: Where it ends.
        height: Its highest learning rate, as a share of that of the training.
    """

    place: int
    start: float
    end: float
    height: float


def round_at(share: float, rounds: int) -> Round:
    """The round of so many that a training is in once a share of it is done; the last one at its end."""
    if rounds == 1 or share < _FIRST:
        return Round(0, 0.0, 1.0 if rounds == 1 else _FIRST, 1.0)
    long = (1 - _FIRST) / (rounds - 1)
    place = min(1 + int((share - _FIRST) / long + 1e-9), rounds - 1)
    return Round(place, _FIRST + (place - 1) * long, _FIRST + place * long, _AGAIN)


def ended(share: float, rounds: int) -> int:
    """How many rounds are over once a share of the training is done."""
    return rounds if share >= 1 else round_at(share, rounds).place


def kept(step: int, decay: float) -> float:
    """How much of the average a step keeps, counted from 0."""
    return min(decay, (1 + step) / (10 + step))


class Average:
    """The average of the parameters of a network.

    Args:
        model: The network.
        tensors: What `tensors` were when the training stopped; empty at its start.

    Attributes:
        tensors: The averages, by the names of the parameters.
    """

    def __init__(self, model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
        self.parameters = dict(model.named_parameters())
        self.tensors = {name: tensors.get(name, p.detach()).clone() for name, p in self.parameters.items()}

    @torch.no_grad()
    def add(self, new: float) -> None:
        """Takes the weights of now in, as a share of the average."""
        for name, parameter in self.parameters.items():
            self.tensors[name].lerp_(parameter, new)

    @torch.no_grad()
    def exchange(self) -> None:
        """Gives the network the averages, and keeps its weights in their place; the second time, all are back."""
        for name, parameter in self.parameters.items():
            kept = parameter.detach().clone()
            parameter.copy_(self.tensors[name])
            self.tensors[name].copy_(kept)
