r"""The average of a network's weights over the steps of its training, which often answers better than the last ones.

After step $n$, counted from 0, $\bar w \leftarrow \bar w + (1 - d_n)(w - \bar w)$ with
$d_n = \min(d, \frac{1 + n}{10 + n})$: the first weights are forgotten soon.

Source: B. Polyak and A. Juditsky, "Acceleration of stochastic approximation by averaging", SIAM 1992; the exponential
form with its beginning as in TensorFlow's ExponentialMovingAverage.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Average:
    """The average of the parameters of a network.

    Args:
        model: The network.
        decay: d, how much of the average a step keeps.
        tensors: What `tensors` were when the training stopped; empty at its start.

    Attributes:
        tensors: The averages, by the names of the parameters.
    """

    def __init__(self, model: nn.Module, decay: float, tensors: Mapping[str, Tensor]) -> None:
        self.parameters, self.decay = dict(model.named_parameters()), decay
        self.tensors = {name: tensors.get(name, p.detach()).clone() for name, p in self.parameters.items()}

    @torch.no_grad()
    def add(self, step: int) -> None:
        """Takes the weights after a step in."""
        new = 1 - min(self.decay, (1 + step) / (10 + step))
        for name, parameter in self.parameters.items():
            self.tensors[name].lerp_(parameter, new)

    @torch.no_grad()
    def exchange(self) -> None:
        """Gives the network the averages, and keeps its weights in their place; the second time, all are back."""
        for name, parameter in self.parameters.items():
            kept = parameter.detach().clone()
            parameter.copy_(self.tensors[name])
            self.tensors[name].copy_(kept)
