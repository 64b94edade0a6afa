"""Resets inside a sequence: each sequence is cut before every step whose state is to be zero.

The pieces are sequences of their own, of different lengths and all run at once, so a batch with resets is a ragged
batch and runs in the same kernels. The first piece starts from the caller's state and the others from zero; a scan from
the sequences' ends starts its last piece from the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gatework.errors import KindError, UsageError
from gatework.nn._ragged import PackedRows


@dataclass(frozen=True, slots=True)
class Pieces(PackedRows):
    """Where the rows and the states of the pieces of a padded batch lie.

    Attributes:
        batch_sizes: The number of pieces running at each step, int64 on the CPU.
        rows: The place of each packed row in the flattened (time x batch) padded batch.
        order: The pieces by decreasing length.
        inverse: The place of each piece in `order`.
        ends: The first and the last piece of each sequence, each of shape (batch,).
        starts_whole: Whether a sequence starts from the caller's state: 0 where its first step is a reset, (batch, 1).
        directions: 1 or 2.
        time: Steps of the padded batch.
        batch: Sequences of the padded batch.
    """

    batch_sizes: Tensor
    rows: Tensor
    order: Tensor
    inverse: Tensor
    ends: tuple[Tensor, Tensor]
    starts_whole: Tensor
    directions: int
    time: int
    batch: int

    def sort(self, state: Tensor) -> Tensor:
        """The initial states of the pieces, shape (layers x directions, pieces, features), in the order of the scan.

        Args:
            state: Those of the sequences, shape (layers x directions, batch, features).
        """
        places = []
        for place, initial in enumerate(state):
            is_reverse = place % self.directions == 1
            initial = initial if is_reverse else initial * self.starts_whole.to(initial.dtype)
            zeros = initial.new_zeros(len(self.order), initial.shape[-1])
            places.append(zeros.index_copy(0, self.ends[int(is_reverse)], initial))
        return torch.stack(places).index_select(1, self.order)

    def unsort(self, state: Tensor) -> Tensor:
        """The final states of the sequences, shape (layers x directions, batch, features).

        Args:
            state: Those of the pieces, shape (layers x directions, pieces, features), in the order of the scan.
        """
        last = [self.inverse.index_select(0, end) for end in (self.ends[1], self.ends[0])]
        return torch.stack([ends.index_select(0, last[place % self.directions]) for place, ends in enumerate(state)])


def pieces(reset: Tensor, lengths: Tensor | None, directions: int, device: torch.device) -> Pieces:
    """The pieces of a padded batch.

    Args:
        reset: True where the state is zero before the step, shape (time, batch).
        lengths: The steps of each sequence, shape (batch,); None where all run to the end.
        directions: 1 or 2.
        device: Where the padded batch lies.
    """
    time, batch = reset.shape
    whole = torch.full((batch,), time) if lengths is None else lengths
    is_start = reset.cpu() & (torch.arange(time).unsqueeze(1) < whole)
    starts_whole = ~is_start[0]
    is_start[0] = True  # also of an empty sequence, whose one piece has no steps
    sequence, start = is_start.t().nonzero(as_tuple=True)
    first = torch.searchsorted(sequence, torch.arange(batch))
    last = torch.searchsorted(sequence, torch.arange(batch), right=True) - 1
    end = whole[sequence]
    is_followed = sequence[1:] == sequence[:-1]
    end[:-1] = torch.where(is_followed, start[1:], end[:-1])
    ordered, order = (end - start).sort(descending=True, stable=True)
    running = ordered > torch.arange(int(ordered[0]) if batch else 0).unsqueeze(1)
    steps, ranks = running.nonzero(as_tuple=True)
    chosen = order[ranks]
    rows = (start[chosen] + steps) * batch + sequence[chosen]
    return Pieces(
        running.sum(1),
        rows.to(device),
        order.to(device),
        order.argsort().to(device),
        (first.to(device), last.to(device)),
        starts_whole.unsqueeze(1).to(device),
        directions,
        time,
        batch,
    )


def check(name: str, reset: Tensor, shape: tuple[int, int], batch_first: bool) -> Tensor:
    """The resets as booleans of shape (time, batch).

    Args:
        name: The layer's class, for messages.
        reset: The caller's, of bool, integers or numbers that are 0 or 1.
        shape: (time, batch).
        batch_first: Whether the caller's dimensions are in the other order.

    Raises:
        KindError: It is no tensor.
        UsageError: It has another shape, or the call is one that cannot take resets.
    """
    if not isinstance(reset, Tensor):
        raise KindError(
            f"{name}: reset must be a Tensor, got {type(reset).__name__}; convert it with torch.as_tensor()"
        )
    if torch.compiler.is_compiling():
        raise UsageError(f"{name}: reset= makes shapes depend on values; call the layer outside of torch.compile")
    wanted = (shape[1], shape[0]) if batch_first else shape
    if reset.shape != wanted:
        meaning = "(batch, time)" if batch_first else "(time, batch)"
        raise UsageError(f"{name}: reset must have shape {wanted}, {meaning}; got {tuple(reset.shape)}")
    is_reset = reset != 0
    return is_reset.t() if batch_first else is_reset
