"""The one door from the layers to what computes them: a scan of one layer in one direction."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from gatework import _reference
from gatework._reference import ScanWeights
from gatework.cells import CellSpec

__all__ = ["ScanWeights", "has_kernel", "scan", "trace"]


def has_kernel(spec: CellSpec, x: Tensor) -> bool:
    """Whether a native kernel computes this cell for tensors with the device and dtype of `x`."""
    del spec, x
    return False


def scan(
    spec: CellSpec,
    x: Tensor,
    weights: ScanWeights,
    states: Sequence[Tensor],
    *,
    batch_sizes: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run a cell over a batch of sequences; see `gatework._reference.scan` for shapes."""
    return _reference.scan(spec, x, weights, states, batch_sizes=batch_sizes, reverse=reverse)


def trace(
    spec: CellSpec,
    x: Tensor,
    weights: ScanWeights,
    states: Sequence[Tensor],
    *,
    batch_sizes: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Tensor, tuple[Tensor, ...], dict[str, Tensor]]:
    """As `scan()`, with every gate and state by name, in the layout of `x`; see `gatework._reference.trace`."""
    return _reference.trace(spec, x, weights, states, batch_sizes=batch_sizes, reverse=reverse)
