"""The cross-entropy of a linear layer and its gradients on the native kernels, in float32 or of rounded factors."""

from __future__ import annotations

import torch
from torch import Tensor

from gatework import _native
from gatework.nn.softmax._blocks import FactorGradients, rows_at_once
from gatework.scan import stack_native
from gatework.scan.isa import active_isa

# Of the native side's elements, those that factors may be.
_FLOAT32, _BFLOAT16 = 0, 2


def fits(*tensors: Tensor | None) -> bool:
    """Whether the kernels compute with tensors: plain ones of float32 on the processor."""
    return (
        all(t is None or (t.is_cpu and t.dtype == torch.float32) for t in tensors)
        and stack_native.is_plain(tensors)
        and not torch.compiler.is_compiling()
    )


def losses(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    targets: Tensor,
    *,
    smoothing: float,
    scale: float,
    wanted: tuple[bool, ...],
    is_rounding: bool = False,
) -> tuple[Tensor, FactorGradients]:
    """The loss of each row, and the gradients of their sum times `scale`.

    Args:
        x: Features, shape (rows, features), float32, as are all others but the targets.
        weight: Shape (columns, features).
        bias: Shape (columns,), or None.
        targets: The right column of each row, shape (rows,), int64, each of them a column.
        smoothing: The share of the target that all columns have alike.
        scale: How much each row's loss counts in what the gradients are of.
        wanted: Whether the gradients of x, the weight and the bias are wanted.
        is_rounding: Whether the factors of all products are rounded to bfloat16.

    Raises:
        MemoryError: There is none left.
    """
    x, weight, targets = x.contiguous(), weight.contiguous(), targets.contiguous()
    bias = None if bias is None else bias.contiguous()
    result = x.new_empty(len(x))
    pairs = zip((x, weight, bias), wanted, strict=True)
    gradients = FactorGradients._make(None if t is None or not is_it else torch.empty_like(t) for t, is_it in pairs)
    if not len(x):
        return result, FactorGradients._make(None if g is None else g.zero_() for g in gradients)
    block = min(rows_at_once(len(weight)), len(x)) + 1 & ~1
    given = map(_address, (x, weight, bias, targets))
    status = _native.cross_entropy(
        _native.ISAS.index(active_isa()), _BFLOAT16 if is_rounding else _FLOAT32, torch.get_num_threads(),
        (*x.shape, len(weight), block), tuple(given), smoothing, scale, result.data_ptr(),
        tuple(map(_address, gradients)),
    )  # fmt: skip
    if status:
        raise MemoryError("linear_cross_entropy: there is not enough memory for a block of rows")
    return result, gradients


def _address(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()
