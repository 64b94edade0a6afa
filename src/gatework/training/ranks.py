"""The processes of one training: who writes and tells, and how what they compute is added up.

The loop asks these questions of one object. `Alone` answers them for one process and costs nothing; `Together` does so
under torchrun, where each process computes some shards of every batch. Sums over processes go up one binary tree whose
shape does not depend on how many processes there are, so that their digits do not either.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.distributed as distributed
from torch import Tensor

from gatework.errors import TrainingError, UsageError
from gatework.training.exchange import Pair, pairs

SHARDS = 4
"""The shards of a batch under torchrun where nobody says how many, or the processes, if those are more."""


class LostError(TrainingError):
    """Another process of the same training has ended."""


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

    def shards(self, given: int) -> int:
        """The shards of a batch: as many as a person says, or as the processes need; 0 where there is nothing to share.

        Raises:
            UsageError: They cannot be shared evenly along a binary tree.
        """
        shards = given or (max(SHARDS, self.count) if self.count > 1 else 0)
        if shards & (shards - 1):
            raise UsageError(f"training.shards is {shards}, expected a power of two, such as 2, 4 or 8")
        if shards and shards % self.count:
            raise UsageError(f"{self.count} processes cannot share {shards} shards evenly; start {_counts(shards)}")
        return shards

    def share(self, shards: int) -> range:
        """Which of the shards this process computes."""
        each = shards // self.count
        return range(self.rank * each, (self.rank + 1) * each)

    def add_up(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The sum of each tensor over all processes, the same digits in each of them; the tensors may be overwritten.

        Raises:
            LostError: Another process has ended.
        """
        return list(tensors)

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Makes each tensor the mean over all processes, in place, the same digits in each of them.

        Raises:
            LostError: Another process has ended.
        """
        for tensor, total in zip(tensors, self.add_up(tensors), strict=True):
            torch.div(total, self.count, out=tensor)  # a power of two

    def agreed(self, number: float) -> float:
        """The number that the first process has."""
        return number

    def gathered(self, values: Mapping[int, Any]) -> dict[int, Any]:
        """What each process has of its own, by number, as one mapping."""
        return dict(values)

    def wait(self) -> None:
        """Goes on when every process has come here."""


class Together(Alone):
    """One of the processes that torchrun has started, joined by gloo."""

    def __init__(self) -> None:
        if not distributed.is_initialized():
            distributed.init_process_group("gloo")
            atexit.register(_leave)
        self.rank, self.count = distributed.get_rank(), distributed.get_world_size()
        self._pairs: list[Pair] = []
        self._shards = self.count

    def shards(self, given: int) -> int:
        """The shards of a batch: as many as a person says, or as the processes need.

        Raises:
            UsageError: They cannot be shared evenly along a binary tree.
        """
        self._shards = super().shards(given)
        return self._shards

    def add_up(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The sum of each tensor over all processes, the same digits in each of them; the tensors may be overwritten.

        At each level of the tree two neighbours add what each of them has: one addition, whose order does not matter.

        Raises:
            LostError: Another process has ended.
        """
        sums = list(tensors)
        try:
            for pair in self._levels():
                sums = pair.added_up(sums)
            return sums
        except (RuntimeError, OSError) as error:  # gloo has no class of its own for a lost connection
            raise self._lost() from error

    def _levels(self) -> list[Pair]:
        """This process and its neighbour at each level of the tree, the lowest first."""
        if not self._pairs:
            self._pairs = pairs(self.rank, [self.rank ^ 1 << level for level in range(self.count.bit_length() - 1)])
        return self._pairs

    def agreed(self, number: float) -> float:
        """The number that the first process has."""
        said = torch.tensor([number], dtype=torch.float64)
        try:
            distributed.broadcast(said, 0)
        except RuntimeError as error:
            raise self._lost() from error
        return float(said)

    def gathered(self, values: Mapping[int, Any]) -> dict[int, Any]:
        """What each process has of its own, by number, as one mapping."""
        everyone: list[Any] = [None] * self.count
        try:
            distributed.all_gather_object(everyone, dict(values))
        except RuntimeError as error:
            raise self._lost() from error
        return {number: value for part in everyone for number, value in part.items()}

    def wait(self) -> None:
        """Goes on when every process has come here."""
        try:
            distributed.barrier()
        except RuntimeError as error:
            raise self._lost() from error

    def _lost(self) -> LostError:
        """What this process says when another one has ended."""
        return LostError(
            "another process of this training has ended, so this one ends too; go on from the last checkpoint in "
            f"{_counts(self._shards)} processes: gatework train --resume RUN, under torchrun if there are several"
        )


def _counts(shards: int) -> str:
    """The numbers of processes that share so many shards evenly, as words."""
    *smaller, largest = (str(2**k) for k in range(shards.bit_length()))
    return f"{', '.join(smaller)} or {largest}" if smaller else largest


def _leave() -> None:
    """Ends gloo's threads, one of which may else abort a process that ends."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def here() -> Alone:
    """The processes that this one trains with: those of torchrun, or none."""
    return Together() if int(os.environ.get("WORLD_SIZE", "1")) > 1 else Alone()
