"""The rows of a sequence batch, checked before their addresses cross to the native side."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from gatework.errors import UsageError
from gatework.scan.records import RowRecord, address


class Layout(NamedTuple):
    """The rows of a sequence batch, checked.

    Attributes:
        steps: The number of time steps.
        batch: The number of sequences.
        lead: The leading dimensions of a sequence tensor: (time, batch), or (rows,) when packed.
        record: What the native side takes.
        batch_sizes: The sequences running at each step when packed, int64 and contiguous.
        offsets: The first row of each step when packed.
    """

    steps: int
    batch: int
    lead: tuple[int, ...]
    record: RowRecord
    batch_sizes: Tensor | None = None
    offsets: Tensor | None = None


@lru_cache(maxsize=256)
def padded(steps: int, batch: int) -> Layout:
    """The layout of a padded batch; small layers are called often with the same sizes."""
    return Layout(steps, batch, (steps, batch), RowRecord(steps, batch, 0, 0))


def layout_of(x: Tensor, width: int, batch: int, batch_sizes: Tensor | None) -> Layout:
    """The layout of a sequence tensor with `width` features.

    Raises:
        UsageError: `x` has another shape or device, or `batch_sizes` does not describe its rows.
    """
    shape = x.shape
    if not x.is_cpu or not shape or shape[-1] != width:
        raise UsageError(f"scan: x has shape {tuple(shape)} on {x.device}, expected {width} features on the CPU")
    if batch_sizes is None:
        if len(shape) != 3 or shape[1] != batch:
            raise UsageError(f"scan: x has shape {tuple(shape)}, expected (time, {batch}, {width})")
        return padded(shape[0], batch)
    if (
        len(shape) != 2
        or batch_sizes.dim() != 1
        or batch_sizes.dtype != torch.int64
        or not batch_sizes.device.type == "cpu"
    ):
        raise UsageError("scan: a packed x has shape (rows, input) and batch_sizes is int64 on the CPU, shape (time,)")
    sizes = batch_sizes.contiguous()
    ends = sizes.cumsum(0)
    counts = sizes.tolist()
    is_decreasing = all(a >= b for a, b in zip([batch, *counts], [*counts, 0], strict=True))
    if not is_decreasing or sum(counts) != shape[0]:
        raise UsageError(
            f"scan: batch_sizes must not grow, start at {batch} or less and add up to the {shape[0]} rows of x"
        )
    offsets = ends - sizes
    record = RowRecord(len(counts), batch, address(sizes), address(offsets))
    return Layout(len(counts), batch, (shape[0],), record, sizes, offsets)
