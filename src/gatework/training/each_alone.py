"""A network whose answer to one example does not depend on what else is in the batch, to the last bit."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gatework.nn.model import SequenceModel


class EachAlone(nn.Module):
    """Computes recurrent layers for a batch at once and what follows them for each example alone.

    The kernels add up in the same order for any batch. The products and sums after them do not: a library picks another
    order for other sizes. These cost little, and alone they always have the same size.

    Args:
        network: The network.
    """

    @classmethod
    def of(cls, network: nn.Module) -> nn.Module:
        """The network, with answers that do not depend on the batch where it is one for single sequences."""
        return cls(network).eval() if isinstance(network, SequenceModel) else network

    def __init__(self, network: SequenceModel) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Outputs of shape (batch, outputs); the arguments are those of the network."""
        sequence, last = self.network.states(inputs, lengths)
        steps = [len(sequence)] * sequence.shape[1] if lengths is None else lengths.tolist()
        if self.network.pooling.kind == "last":
            steps = [0] * len(steps)  # nothing but the last states is looked at
        return torch.cat(
            [
                self.network.head(sequence[:count, k : k + 1].contiguous(), last[:, k : k + 1].contiguous(), None)
                for k, count in enumerate(steps)
            ]
        )
