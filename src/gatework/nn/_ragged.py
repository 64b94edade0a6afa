"""Sequences of different lengths: between padded batches, packed rows, and PackedSequence.

A packed batch is sorted by decreasing length; its rows are ordered by step, and `batch_sizes[t]` sequences run at
step t. The work of a scan over it is the sum of the lengths, not batch x the longest one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from gatework.errors import KindError, UsageError


class PackedRows:
    """The way between a padded batch and its packed rows."""

    __slots__ = ()
    rows: Tensor
    time: int
    batch: int

    def pack(self, padded: Tensor) -> Tensor:
        """The rows, shape (rows, features), of a padded batch of shape (time, batch, features)."""
        return padded.flatten(0, 1).index_select(0, self.rows)

    def pad(self, packed: Tensor) -> Tensor:
        """The padded batch, shape (time, batch, features), of rows; zero after each sequence's end."""
        padded = packed.new_zeros(self.time * self.batch, packed.shape[-1])
        # In place where it may be: what a function transform adds to the rows, the zeros do not have.
        is_transformed = torch._C._are_functorch_transforms_active()
        copy = padded.index_copy if is_transformed else padded.index_copy_
        return copy(0, self.rows, packed).view(self.time, self.batch, packed.shape[-1])


@dataclass(frozen=True, slots=True)
class Ragged(PackedRows):
    """Where the rows of a packed batch lie in its padded batch.

    Attributes:
        batch_sizes: The number of sequences running at each step, int64 on the CPU, shape (steps,).
        rows: The place of each packed row in the flattened (time x batch) padded batch, shape (rows,).
        order: The sequences by decreasing length, shape (batch,); None when they are sorted already.
        inverse: The place of each sequence in `order`, shape (batch,), or None.
        time: Steps of the padded batch.
        batch: Sequences of the padded batch.
    """

    batch_sizes: Tensor
    rows: Tensor
    order: Tensor | None
    inverse: Tensor | None
    time: int
    batch: int

    def sort(self, state: Tensor) -> Tensor:
        """A state of shape (..., batch, features) in the packed order of sequences."""
        return state if self.order is None else state.index_select(-2, self.order)

    def unsort(self, state: Tensor) -> Tensor:
        """A state of shape (..., batch, features) back in the caller's order of sequences."""
        return state if self.inverse is None else state.index_select(-2, self.inverse)


def from_lengths(lengths: Tensor | Sequence[int], time: int, batch: int, device: torch.device) -> Ragged | None:
    """The packing of a padded batch, or None where every sequence runs to its end and nothing is to be packed.

    Args:
        lengths: The steps of each sequence, shape (batch,), in any order, zeros allowed.
        time: Steps of the padded batch.
        batch: Sequences of the padded batch.
        device: Where the padded batch lies.

    Raises:
        KindError: The lengths are not integers.
        UsageError: Their number is not the batch, or one is negative or longer than the batch.
    """
    checked = check_lengths(lengths, time, batch)
    if bool((checked == time).all()):
        return None
    ordered, order = checked.sort(descending=True, stable=True)
    batch_sizes = (ordered > torch.arange(time).unsqueeze(1)).sum(1)
    steps, ranks = (ordered > torch.arange(int(ordered[0]) if batch else 0).unsqueeze(1)).nonzero(as_tuple=True)
    rows = (steps * batch + order[ranks]).to(device)
    is_sorted = bool((checked[1:] <= checked[:-1]).all())
    order = order.to(device)
    return Ragged(
        batch_sizes=batch_sizes[: int(ordered[0]) if batch else 0],
        rows=rows,
        order=None if is_sorted else order,
        inverse=None if is_sorted else order.argsort(),
        time=time,
        batch=batch,
    )


def from_traced_lengths(lengths: Tensor | Sequence[int], time: int, batch: int, device: torch.device) -> Ragged:
    """As `from_lengths()` in a program that is being compiled or exported, where no shape may depend on a value.

    Every place of the padded batch becomes a row, those that exist first; lengths beyond the range count as its ends.
    """
    ordered, order = torch.as_tensor(lengths, device=device).sort(descending=True, stable=True)
    steps = torch.arange(time, device=device).unsqueeze(1)
    is_running = ordered > steps
    places = (steps * batch + order).flatten()
    rows = places.index_select(0, is_running.flatten().to(torch.int8).argsort(descending=True, stable=True))
    return Ragged(is_running.sum(1).cpu(), rows, order, order.argsort(), time, batch)


def from_packed(packed: PackedSequence) -> Ragged:
    """The packing of a PackedSequence, whose padded batch is in the caller's order of sequences."""
    batch_sizes = packed.batch_sizes
    batch = int(batch_sizes[0])
    steps, ranks = (batch_sizes.unsqueeze(1) > torch.arange(batch)).nonzero(as_tuple=True)
    order = packed.sorted_indices
    places = ranks.to(packed.data.device)
    if order is not None:
        places = order.index_select(0, places)
    rows = steps.to(places.device) * batch + places
    return Ragged(batch_sizes, rows, order, packed.unsorted_indices, len(batch_sizes), batch)


def check_lengths(lengths: Tensor | Sequence[int], time: int, batch: int) -> Tensor:
    """The lengths as int64 on the CPU, shape (batch,); see `from_lengths()` for the errors."""
    checked = torch.as_tensor(lengths)
    is_integer = not (checked.is_floating_point() or checked.is_complex() or checked.dtype == torch.bool)
    if not is_integer and checked.numel():
        raise KindError(f"lengths must be integers, got {checked.dtype}; convert them with lengths.to(torch.int64)")
    checked = checked.to("cpu", torch.int64)
    if checked.shape != (batch,):
        raise UsageError(
            f"lengths must hold one length for each of the {batch} sequences of the batch, got shape "
            f"{tuple(checked.shape)}"
        )
    for problem, is_wrong in (("negative", checked < 0), (f"beyond the {time} steps of the input", checked > time)):
        if is_wrong.any():
            where = int(is_wrong.nonzero()[0, 0])
            raise UsageError(
                f"lengths[{where}] is {int(checked[where])}, which is {problem}; every length must be 0 to {time}"
            )
    return checked
