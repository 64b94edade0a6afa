"""An exact softmax over a large vocabulary that computes rare tokens only where they are the right ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gatework.errors import UsageError
from gatework.nn.softmax._blocks import FactorGradients, losses, refuse_second_derivative
from gatework.nn.softmax.full import kept_rows
from gatework.nn.softmax.sampled import new_weight


class AdaptiveSoftmax(nn.Module):
    r"""The loss of an adaptive softmax (Grave et al., 2017) whose matrix may be that of the embedding.

    The tokens are numbered by falling frequency and cut into a head and clusters. The head is a softmax over its tokens
    and one more column for each cluster; a token of cluster $c$ has

    $$p(w) = p(c)\, \mathrm{softmax}_{v \in c}(W_v h + b_v)_w.$$

    Rows whose token is in the head cost no more than that, and these are most. Probabilities sum to 1 exactly. Unlike
    `torch.nn.AdaptiveLogSoftmaxWithLoss`, all tokens have vectors of one width, which is what an embedding can share.

    Args:
        weight: W, shape (vocabulary, features): an embedding's parameter to share it with the input, or the number of
            tokens and of features, for a matrix of its own.
        cutoffs: The first token of each cluster, ascending.
        bias: Whether there is b.

    Raises:
        UsageError: The cutoffs do not ascend between 1 and the vocabulary.
    """

    def __init__(
        self, weight: nn.Parameter | tuple[int, int], cutoffs: Sequence[int] = (2000, 8000), *, bias: bool = True
    ) -> None:
        super().__init__()
        self.weight = weight if isinstance(weight, nn.Parameter) else new_weight(*weight)
        vocabulary, width = self.weight.shape
        self.edges = (0, *cutoffs, vocabulary)
        if not cutoffs or any(low >= high for low, high in pairwise(self.edges)):
            raise UsageError(
                f"AdaptiveSoftmax: cutoffs are {list(cutoffs)}, expected ascending numbers from 1 to below the "
                f"vocabulary's {vocabulary}"
            )
        self.clusters = nn.Parameter(torch.zeros(len(cutoffs), width, dtype=self.weight.dtype))
        self.bias = nn.Parameter(self.weight.new_zeros(vocabulary)) if bias else None
        self.cluster_bias = nn.Parameter(self.weight.new_zeros(len(cutoffs)))

    def forward(self, features: Tensor, targets: Tensor, *, ignore_index: int = -100) -> Tensor:
        """The mean loss.

        Args:
            features: Shape (..., features).
            targets: The right token of each row, shape (...), int64.
            ignore_index: Rows with this target are left out.

        Raises:
            UsageError: Shapes or dtypes do not fit, or a target is no token.
        """
        rows, right, _ = kept_rows("AdaptiveSoftmax", features, self.weight, targets, self.bias, ignore_index)
        if not len(right):
            return rows.sum() * torch.nan
        bias = self.weight.new_zeros(len(self.weight)) if self.bias is None else self.bias
        weights = self.weight, bias, self.clusters, self.cluster_bias
        loss: Tensor = _AdaptiveLoss.apply(rows, *weights, right, self.edges, torch.is_grad_enabled())
        return loss

    def log_prob(self, features: Tensor) -> Tensor:
        """The logarithm of every token's probability, shape (..., vocabulary)."""
        logits = nn.functional.linear(features, self.weight, self.bias)
        first = self.edges[1]
        choices = nn.functional.linear(features, self.clusters, self.cluster_bias)
        head = torch.cat([logits[..., :first], choices], -1).log_softmax(-1)
        parts = [head[..., :first]]
        for place, (low, high) in enumerate(pairwise(self.edges[1:])):
            parts.append(logits[..., low:high].log_softmax(-1) + head[..., first + place, None])
        return torch.cat(parts, -1)

    def extra_repr(self) -> str:
        """The sizes, then what was chosen."""
        vocabulary, width = self.weight.shape
        return f"{vocabulary}, {width}, cutoffs={list(self.edges[1:-1])}, bias={self.bias is not None}"


class _Parts(NamedTuple):
    """What the loss is a function of, or the gradients of it."""

    x: Tensor
    weight: Tensor
    bias: Tensor
    clusters: Tensor
    cluster_bias: Tensor


class _AdaptiveLoss(torch.autograd.Function):
    """The mean of the losses of rows; the gradients of all parts of the matrix land in one."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, clusters: Tensor, cluster_bias: Tensor,
        targets: Tensor, edges: tuple[int, ...], is_followed: bool,
    ) -> Tensor:  # fmt: skip
        parts, into = _Parts(x, weight, bias, clusters, cluster_bias), None
        if is_followed and any(ctx.needs_input_grad):
            into = _Parts._make(map(torch.zeros_like, parts))
        cluster = torch.bucketize(targets, torch.tensor(edges[1:-1], device=targets.device), right=True)
        loss = _head_loss(parts, targets, cluster, edges[1], into)
        for place, (low, high) in enumerate(pairwise(edges[1:]), 1):
            rows = (cluster == place).nonzero().squeeze(1)
            loss += _cluster_loss(parts, targets, rows, slice(low, high), into)
        ctx.save_for_backward(*(into or ()))
        return loss / len(x)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        refuse_second_derivative("AdaptiveSoftmax")
        return *[gradient * slope for gradient in ctx.saved_tensors], None, None, None


def _head_loss(parts: _Parts, targets: Tensor, cluster: Tensor, first: int, into: _Parts | None) -> Tensor:
    """The sum of the rows' losses over the head's tokens and the clusters."""
    head = torch.cat([parts.weight[:first], parts.clusters]), torch.cat([parts.bias[:first], parts.cluster_bias])
    choices = targets.where(cluster == 0, first - 1 + cluster)
    gradients = None if into is None else FactorGradients(into.x, *map(torch.zeros_like, head))
    loss = losses(parts.x, *head, choices, weight_of_rows=1 / len(parts.x), gradients=gradients).sum()
    if into is not None and gradients is not None and gradients.weight is not None and gradients.bias is not None:
        into.weight[:first], into.clusters[:] = gradients.weight[:first], gradients.weight[first:]
        into.bias[:first], into.cluster_bias[:] = gradients.bias[:first], gradients.bias[first:]
    return loss


def _cluster_loss(parts: _Parts, targets: Tensor, rows: Tensor, inside: slice, into: _Parts | None) -> Tensor:
    """The sum of some rows' losses over the tokens of their cluster."""
    x, right = parts.x[rows], targets[rows] - inside.start
    into_x = torch.zeros_like(x)
    gradients = None if into is None else FactorGradients(into_x, into.weight[inside], into.bias[inside])
    factors = parts.weight[inside], parts.bias[inside]
    loss = losses(x, *factors, right, weight_of_rows=1 / len(parts.x), gradients=gradients).sum()
    if into is not None:
        into.x.index_add_(0, rows, into_x)
    return loss
