"""Where the pieces of targets of different lengths stand in the order of a scan."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence


class TargetRows(NamedTuple):
    """The pieces of a batch of targets as rows in the order of a scan: all first ones, then all second ones.

    Attributes:
        batch_sizes: How many targets have each step, int64, on the CPU.
        order: The targets by falling length.
        inverse: The place of each target in `order`.
        steps: The step of each row.
        targets: The target of each row.
        rows: The row of each piece, one target after the other.
        starts: Where the pieces of each target begin in `rows`, and where the last one's end, on the CPU.
    """

    batch_sizes: Tensor
    order: Tensor
    inverse: Tensor
    steps: Tensor
    targets: Tensor
    rows: Tensor
    starts: Tensor

    @classmethod
    def of(cls, lengths: Tensor, device: torch.device | None = None) -> TargetRows:
        """Those of targets of these lengths.

        Args:
            lengths: The pieces of each target, at least 1, shape (batch,), int64 on the CPU.
            device: Where all indices lie but `batch_sizes` and `starts`; the CPU if None.
        """
        falling, order = lengths.sort(descending=True, stable=True)
        is_there = falling > torch.arange(int(falling[0])).unsqueeze(1)
        steps, ranks = is_there.nonzero(as_tuple=True)
        targets = order[ranks]
        rows = targets.argsort(stable=True)
        starts = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
        order, inverse, steps, targets, rows = (t.to(device) for t in (order, order.argsort(), steps, targets, rows))
        return cls(is_there.sum(1), order, inverse, steps, targets, rows, starts)

    @property
    def batch(self) -> int:
        """How many targets there are."""
        return len(self.order)

    def of_targets(self, values: Tensor) -> Tensor:
        """The rows, shape (rows, ...), of a padded batch of shape (batch, time, ...)."""
        return values[self.targets, self.steps]

    def packed(self, rows: Tensor) -> PackedSequence:
        """Rows, shape (rows, features), as torch's layers take them."""
        return PackedSequence(rows, self.batch_sizes, self.order, self.inverse)

    def padded(self, rows: Tensor) -> Tensor:
        """Rows, shape (rows, features), as a padded batch, shape (batch, time, features), zero beyond each end."""
        time = len(self.batch_sizes)
        zeros = rows.new_zeros(self.batch * time, rows.shape[-1])
        return zeros.index_copy(0, self.targets * time + self.steps, rows).view(self.batch, time, rows.shape[-1])
