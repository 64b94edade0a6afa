"""The processes of one training: who writes and tells, and how what they compute is added up.

The loop asks these questions of one object. `Alone` answers them for one process and costs nothing; `Together` does so
under torchrun, where each process computes some shards of every batch. Sums over processes go up one binary tree whose
shape does not depend on how many processes there are, so that their digits do not either.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.distributed as distributed
from torch import Tensor

from gatework.errors import TrainingError, UsageError

SHARDS = 4
"""The shards of a batch under torchrun where nobody says how many, or the processes, if those are more."""

_MANY_ROWS = 1024
"""Rows from which on a table is looked through for those that are zero."""
_MOST_ROWS = 0.5
"""The share of rows up to which they are exchanged alone."""
_SMALL = 1 << 20
"""Elements up to which tensors are copied to travel together."""

_LOST = (
    "another process of this training has ended, so this one ends too; go on from the last checkpoint, with as many "
    "processes or others: gatework train --resume RUN, under torchrun or without"
)


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
            counts = ", ".join(str(2**k) for k in range(shards.bit_length()))
            raise UsageError(f"{self.count} processes cannot share {shards} shards evenly; start one of {counts}")
        return shards

    def share(self, shards: int) -> range:
        """Which of the shards this process computes."""
        each = shards // self.count
        return range(self.rank * each, (self.rank + 1) * each)

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Makes each tensor the sum over all processes, in place, the same digits in each of them.

        Raises:
            LostError: Another process has ended.
        """

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Makes each tensor the mean over all processes, in place, the same digits in each of them.

        Raises:
            LostError: Another process has ended.
        """
        self.add_up(tensors)
        for tensor in tensors:
            tensor /= self.count  # a power of two

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
        self.rank, self.count = distributed.get_rank(), distributed.get_world_size()
        self._pairs: list[Any] = []

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Makes each tensor the sum over all processes, in place, the same digits in each of them.

        At each level of the tree two neighbours add what each of them has: one addition, whose order does not matter.
        Of a large table, such as the gradient of word vectors, only rows that one of them has are exchanged.

        Raises:
            LostError: Another process has ended.
        """
        try:
            for pair in self._levels():
                _add_pair(tensors, pair)
        except RuntimeError as error:  # gloo has no class of its own for a lost connection
            raise LostError(_LOST) from error

    def _levels(self) -> list[Any]:
        """This process's pair at each level of the tree, the lowest first; every process makes all of them, once."""
        if not self._pairs:
            step = 1
            while step < self.count:
                groups = {low: distributed.new_group([low, low + step]) for low in range(self.count) if not low & step}
                self._pairs.append(groups[self.rank & ~step])
                step *= 2
        return self._pairs

    def agreed(self, number: float) -> float:
        """The number that the first process has."""
        said = torch.tensor([number], dtype=torch.float64)
        try:
            distributed.broadcast(said, 0)
        except RuntimeError as error:
            raise LostError(_LOST) from error
        return float(said)

    def gathered(self, values: Mapping[int, Any]) -> dict[int, Any]:
        """What each process has of its own, by number, as one mapping."""
        everyone: list[Any] = [None] * self.count
        try:
            distributed.all_gather_object(everyone, dict(values))
        except RuntimeError as error:
            raise LostError(_LOST) from error
        return {number: value for part in everyone for number, value in part.items()}

    def wait(self) -> None:
        """Goes on when every process has come here."""
        try:
            distributed.barrier()
        except RuntimeError as error:
            raise LostError(_LOST) from error


def _add_pair(tensors: Sequence[Tensor], pair: Any) -> None:
    """Makes each tensor the sum over a pair of processes; what is small travels together, as each call takes its time.

    Zeros added to a row of a table change no digit of it, so that the sum has those of the whole tables.
    """
    rows = [_rows_there(t, pair) if t.ndim == 2 and len(t) >= _MANY_ROWS else None for t in tensors]
    parts = [t if chosen is None else t[chosen] for t, chosen in zip(tensors, rows, strict=True)]
    for kind in dict.fromkeys(part.dtype for part in parts):
        alike = [part for part in parts if part.dtype == kind]
        small = [part for part in alike if part.numel() <= _SMALL]
        joined = torch.cat([part.flatten() for part in small]) if small else None
        for each in [part for part in alike if part.numel() > _SMALL] + ([] if joined is None else [joined]):
            distributed.all_reduce(each, group=pair)
        if joined is not None:
            for part, values in zip(small, joined.split([part.numel() for part in small]), strict=True):
                part.copy_(values.view_as(part))
    for tensor, chosen, part in zip(tensors, rows, parts, strict=True):
        if chosen is not None:
            tensor[chosen] = part


def _rows_there(table: Tensor, pair: Any) -> Tensor | None:
    """The rows of a table that are other than zero in one of a pair of processes; None where they are most of it."""
    # The bits of whole rows, whose largest numpy finds in half the time that torch takes to compare numbers.
    bits = table.numpy().view(f"u{table.element_size()}")
    is_there = torch.from_numpy((bits.max(axis=1) > 0).view(np.uint8))
    distributed.all_reduce(is_there, op=distributed.ReduceOp.MAX, group=pair)
    rows = is_there.nonzero().squeeze(1)
    return rows if len(rows) <= _MOST_ROWS * len(table) else None


def here() -> Alone:
    """The processes that this one trains with: those of torchrun, or none."""
    return Together() if int(os.environ.get("WORLD_SIZE", "1")) > 1 else Alone()
