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
from gatework.training.rows import numbers_of, of_rows, rows_of

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
        self.rank, self.count = distributed.get_rank(), distributed.get_world_size()
        self._pairs: list[Any] = []

    def add_up(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The sum of each tensor over all processes, the same digits in each of them; the tensors may be overwritten.

        At each level of the tree two neighbours add what each of them has: one addition, whose order does not matter.
        Of a large table, such as the gradient of word vectors, only rows that one of them has are exchanged.

        Raises:
            LostError: Another process has ended.
        """
        sums = list(tensors)
        try:
            for pair in self._levels():
                sums = _pair_sums(sums, pair)
            return sums
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


def _pair_sums(tensors: Sequence[Tensor], pair: Any) -> list[Tensor]:
    """The sums over a pair of processes; what is small travels together, as each call takes its time.

    Zeros added to a row of a table change no digit of it, so that the sum has those of the whole tables.
    """
    tables = [k for k, t in enumerate(tensors) if t.is_sparse or (t.ndim == 2 and len(t) >= _MANY_ROWS)]
    rows = dict(zip(tables, _rows_there([tensors[k] for k in tables], pair), strict=True)) if tables else {}
    parts = [_part(tensor, rows.get(k)) for k, tensor in enumerate(tensors)]
    sums = list(parts)
    for kind in dict.fromkeys(part.dtype for part in parts):
        for part in parts:
            if part.dtype == kind and part.numel() > _SMALL:
                distributed.all_reduce(part, group=pair)
        small = [k for k, part in enumerate(parts) if part.dtype == kind and part.numel() <= _SMALL]
        if small:
            joined = torch.cat([parts[k].flatten() for k in small])
            distributed.all_reduce(joined, group=pair)
            for k, values in zip(small, joined.split([parts[k].numel() for k in small]), strict=True):
                sums[k] = values.view_as(parts[k])
    return [_put(tensor, rows.get(k), part) for k, (tensor, part) in enumerate(zip(tensors, sums, strict=True))]


def _rows_there(tables: Sequence[Tensor], pair: Any) -> list[Tensor | None]:
    """The rows of tables that one of a pair of processes has; None where they are most of a table that is whole."""
    is_there = torch.cat([_has_rows(table) for table in tables])
    distributed.all_reduce(is_there, op=distributed.ReduceOp.MAX, group=pair)
    rows = [each.nonzero().squeeze(1) for each in is_there.split([len(table) for table in tables])]
    is_few = [t.is_sparse or len(each) <= _MOST_ROWS * len(t) for t, each in zip(tables, rows, strict=True)]
    return [each if few else None for each, few in zip(rows, is_few, strict=True)]


def _has_rows(table: Tensor) -> Tensor:
    """1 for each row that is there, of a whole table those other than zero, shape (rows,), bytes."""
    if table.is_sparse:
        return torch.zeros(len(table), dtype=torch.uint8).index_fill_(0, numbers_of(table), 1)
    # The bits of whole rows, whose largest numpy finds in half the time that torch takes to compare numbers.
    bits = table.numpy().view(f"u{table.element_size()}")
    return torch.from_numpy((bits.max(axis=1) > 0).view(np.uint8))


def _part(tensor: Tensor, rows: Tensor | None) -> Tensor:
    """What of a tensor is exchanged: all, or some rows."""
    if rows is None:
        return tensor
    return of_rows(tensor, rows) if tensor.is_sparse else tensor[rows]


def _put(tensor: Tensor, rows: Tensor | None, total: Tensor) -> Tensor:
    """The sum of tensors from that of their parts."""
    if rows is None:
        return total
    if tensor.is_sparse:
        return rows_of(rows, total, tensor)
    tensor[rows] = total
    return tensor


def here() -> Alone:
    """The processes that this one trains with: those of torchrun, or none."""
    return Together() if int(os.environ.get("WORLD_SIZE", "1")) > 1 else Alone()
