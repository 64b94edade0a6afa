"""The cross-entropy of a linear layer over a large vocabulary without the memory of its logits."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from gatework.errors import KindError, TensorError, UsageError
from gatework.nn.softmax import _kernels
from gatework.nn.softmax._blocks import FactorGradients, refuse_many_derivatives, refuse_second_derivative
from gatework.nn.softmax._blocks import losses as losses_of_rows

Reduction = Literal["mean", "sum", "none"]


def linear_cross_entropy(
    features: Tensor,
    weight: Tensor,
    targets: Tensor,
    bias: Tensor | None = None,
    *,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
    rounds_factors: bool = False,
) -> Tensor:
    r"""`cross_entropy(linear(features, weight, bias), targets)` that never holds tokens x vocabulary.

    Logits are computed for some rows at a time; with a mean or a sum their gradient is made along with the loss, so the
    backward pass has nothing left to do but to scale it. The matrix may be that of an embedding, or any other tensor.

    Args:
        features: Shape (..., features).
        weight: Shape (vocabulary, features).
        targets: The right token of each row, shape (...), int64.
        bias: Shape (vocabulary,), or None.
        reduction: "mean" or "sum" over the rows, or "none" for the loss of each, whose backward pass computes the
            logits once more.
        label_smoothing: The share of the target that all tokens have alike.
        ignore_index: Rows with this target are left out.
        rounds_factors: Whether a mean or a sum that is derived, and its gradients, are of factors rounded to bfloat16,
            which processors with instructions for it multiply in half the time; sums are float32. What is not derived
            is exact.

    Returns:
        A number, or the loss of each row in the shape of the targets.

    Raises:
        UsageError: Shapes or dtypes do not fit, or an option is out of its range.
    """
    if reduction not in ("mean", "sum", "none") or not 0 <= label_smoothing <= 1:
        raise UsageError(
            f'linear_cross_entropy: reduction="{reduction}" and label_smoothing={label_smoothing}, expected "mean", '
            '"sum" or "none", and a share from 0 to 1'
        )
    rows, right, is_kept = kept_rows("linear_cross_entropy", features, weight, targets, bias, ignore_index)
    scale = None if reduction == "none" else 1 / len(right) if reduction == "mean" and len(right) else 1.0
    is_rounding = rounds_factors and weight.dtype == torch.float32 and weight.is_cpu
    settings = (label_smoothing, scale, torch.is_grad_enabled(), is_rounding)
    losses: Tensor = _CrossEntropy.apply(rows, weight, bias, right, *settings)
    if reduction != "none":
        return losses if len(right) or reduction == "sum" else losses * torch.nan
    if len(right) == targets.numel():
        return losses.view_as(targets)
    return losses.new_zeros(targets.numel()).masked_scatter(is_kept, losses).view_as(targets)


class _CrossEntropy(torch.autograd.Function):
    """The losses of rows, or with a scale the sum of them times it."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, smoothing: float,
        scale: float | None, is_followed: bool, is_rounding: bool,
    ) -> Tensor:  # fmt: skip
        wanted = tuple(ctx.needs_input_grad[:3])
        ctx.smoothing, ctx.is_fused = smoothing, scale is not None
        if scale is None:
            ctx.save_for_backward(x, weight, bias, targets)
            return losses_of_rows(x, weight, bias, targets, smoothing=smoothing)
        is_followed = is_followed and any(wanted)
        if _kernels.fits(x, weight, bias):
            losses, made = _kernels.losses(
                x, weight, bias, targets, smoothing=smoothing, scale=scale,
                wanted=wanted if is_followed else (False,) * 3, is_rounding=is_rounding and is_followed,
            )  # fmt: skip
            ctx.save_for_backward(*made)
            return losses.sum() * scale
        gradients = FactorGradients.zeros((x, weight, bias), wanted) if is_followed else None
        losses = losses_of_rows(
            x, weight, bias, targets, smoothing=smoothing, weight_of_rows=scale, gradients=gradients
        )
        ctx.save_for_backward(*(gradients or ()))
        return losses.sum() * scale

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        refuse_second_derivative("linear_cross_entropy")
        if ctx.is_fused:
            return *[None if g is None else g * slope for g in ctx.saved_tensors], None, None, None, None, None
        refuse_many_derivatives('linear_cross_entropy with reduction="none"', slope)
        x, weight, bias, targets = ctx.saved_tensors
        gradients = FactorGradients.zeros((x, weight, bias), tuple(ctx.needs_input_grad[:3]))
        losses_of_rows(x, weight, bias, targets, smoothing=ctx.smoothing, weight_of_rows=slope, gradients=gradients)
        return *gradients, None, None, None, None, None


def kept_rows(
    name: str, features: Tensor, weight: Tensor, targets: Tensor, bias: Tensor | None, ignore_index: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The rows that count, their right tokens, and which of all rows they are, once what a loss is called with fits.

    Raises:
        UsageError: A shape or a dtype does not fit, or a target is no token; its subclasses carry torch's exception
            types.
    """
    _check(name, features, weight, targets, bias)
    rows, right = features.flatten(0, -2), targets.flatten()
    is_kept = right != ignore_index
    if not bool(is_kept.all()):
        rows, right = rows[is_kept], right[is_kept]
    _check_targets(name, right, len(weight))
    return rows, right, is_kept


def _check(name: str, features: Tensor, weight: Tensor, targets: Tensor, bias: Tensor | None) -> None:
    if features.dim() < 2 or weight.dim() != 2 or features.shape[-1] != weight.shape[1]:
        raise TensorError(
            f"{name}: features {tuple(features.shape)} and weight {tuple(weight.shape)} were given, expected "
            "(..., features) and (vocabulary, features)"
        )
    if targets.shape != features.shape[:-1]:
        raise TensorError(f"{name}: targets are {tuple(targets.shape)}, expected {tuple(features.shape[:-1])}")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise TensorError(f"{name}: bias is {tuple(bias.shape)}, expected {tuple(weight.shape[:1])}")
    if targets.dtype != torch.int64 or weight.dtype != features.dtype or not features.is_floating_point():
        raise KindError(
            f"{name}: features are {features.dtype}, weight {weight.dtype} and targets {targets.dtype}, expected one "
            "floating dtype for the first two, and int64"
        )


def _check_targets(name: str, targets: Tensor, vocabulary: int) -> None:
    if targets.numel() and (int(targets.min()) < 0 or int(targets.max()) >= vocabulary):
        wrong = targets[(targets < 0) | (targets >= vocabulary)][0]
        raise UsageError(f"{name}: a target is {int(wrong)}, expected 0 to {vocabulary - 1}")
