"""The processes of one training: who writes and tells, how tensors are added up, which random states are kept.

The loop asks these questions of one object. `Alone` answers them for one process and costs nothing; `Together` does so
under torchrun, where each process computes its share of every batch and the gradients are added up.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import torch
import torch.distributed as distributed
from torch import Tensor


class Alone:
    """One process: everything is its own.

    Attributes:
        rank: Which of the processes this is, counted from 0.
        count: How many there are.
    """

    rank, count = 0, 1

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and tells how it goes."""
        return self.rank == 0

    def share(self, index: np.ndarray) -> np.ndarray:
        """The examples of a batch that this process computes."""
        return index

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Makes each tensor the sum over all processes, in place."""

    def total(self, *numbers: float) -> tuple[float, ...]:
        """Each number summed over all processes."""
        return numbers

    def collected(self, tensor: Tensor) -> Tensor:
        """The tensors of all processes side by side, in the order of their ranks."""
        return tensor[None]

    def wait(self) -> None:
        """Goes on when every process has come here."""


class Together(Alone):
    """One of the processes that torchrun has started, joined by gloo.

    Gradients are summed in the order of the ranks' tree, so another number of processes rounds otherwise: the weights
    agree with those of one process to rounding, not bit for bit.
    """

    def __init__(self) -> None:
        if not distributed.is_initialized():
            distributed.init_process_group("gloo")
        self.rank, self.count = distributed.get_rank(), distributed.get_world_size()

    def share(self, index: np.ndarray) -> np.ndarray:
        """Every so-manieth example, which keeps the lengths of the shares alike."""
        return index[self.rank :: self.count]

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Makes each tensor the sum over all processes, in place."""
        for tensor in tensors:
            distributed.all_reduce(tensor)

    def total(self, *numbers: float) -> tuple[float, ...]:
        """Each number summed over all processes."""
        summed = torch.tensor(numbers, dtype=torch.float64)
        distributed.all_reduce(summed)
        return tuple(summed.tolist())

    def collected(self, tensor: Tensor) -> Tensor:
        """The tensors of all processes side by side, in the order of their ranks."""
        everyone = [torch.empty_like(tensor) for _ in range(self.count)]
        distributed.all_gather(everyone, tensor)
        return torch.stack(everyone)

    def wait(self) -> None:
        """Goes on when every process has come here."""
        distributed.barrier()


def here() -> Alone:
    """The processes that this one trains with: those of torchrun, or none."""
    return Together() if int(os.environ.get("WORLD_SIZE", "1")) > 1 else Alone()
