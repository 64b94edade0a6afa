"""The small parameters of a network as one: per tensor, an optimiser costs more than what it does to a small one."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

# Elements; from here on the two passes over a gradient that joining adds cost more than it saves.
_SMALL = 16384


class JoinedParameters:
    """The parameters of a network as an optimiser is to see them.

    The small ones become views of one tensor, and their gradients views of its gradient; the network works as before.

    Args:
        parameters: The parameters, all of one element type.

    Attributes:
        tensors: The tensor of all small parameters, then the others.
    """

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        given = list(parameters)
        small = [p for p in given if p.numel() <= _SMALL]
        self._whole = nn.Parameter(torch.cat([given[0].new_empty(0), *(p.detach().flatten() for p in small)]))
        self._others = [p for p in given if p.numel() > _SMALL]
        self.tensors = [self._whole, *self._others]
        self._whole.grad = torch.zeros_like(self._whole)
        sizes = [p.numel() for p in small]
        parts = zip(self._whole.detach().split(sizes), self._whole.grad.split(sizes), strict=True)
        for parameter, (values, gradient) in zip(small, parts, strict=True):
            parameter.data, parameter.grad = values.view_as(parameter), gradient.view_as(parameter)

    def forget_gradients(self) -> None:
        """Makes every gradient zero, or None."""
        assert self._whole.grad is not None
        self._whole.grad.zero_()
        for parameter in self._others:  # as the optimiser's zero_grad() does, at a tenth of its time
            parameter.grad = None
