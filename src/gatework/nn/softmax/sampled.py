"""A softmax over a large vocabulary that is trained on a sample of it."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from gatework.errors import TensorError, UsageError
from gatework.nn.softmax._blocks import FactorGradients, add_gradients, refuse_second_derivative, rows_at_once
from gatework.nn.softmax.full import kept_rows, linear_cross_entropy

Proposal = Literal["unigram", "log-uniform"]
_POWER = 0.75  # of the counts, as word2vec has it (Mikolov et al., 2013)


class SampledSoftmax(nn.Module):
    r"""The loss of a softmax layer that is trained on some tokens of the vocabulary at a time.

    A sample of $k$ tokens is drawn from $q$ and shared by all rows of the batch. With the logits
    $o = W h + b$, the sum over all tokens but the right one $t$ is estimated by that over the sample,

    $$\mathcal{L} = -o_t + \log\Big(e^{o_t} + \sum_{j \ne t} \frac{n_j}{k\, q_j}\, e^{o_j}\Big),$$

    where $n_j$ is how often $j$ was drawn: on average the sum is that of the whole softmax. It is corrected by $q$
    (logQ; Bengio and Senecal, 2003) and leaves out the right token where it was drawn (an accidental hit). So the
    logits are those of a whole softmax, and `eval()` gives its loss exactly, in blocks of rows.

    Args:
        weight: W, shape (vocabulary, features): an embedding's parameter to share it with the input, or the number of
            tokens and of features, for a matrix of its own.
        negatives: k, how many tokens are drawn for a batch.
        proposal: What q is: "unigram" for the counts to the power 0.75, "log-uniform" for $\log\frac{r+2}{r+1}$ over
            the logarithm of the vocabulary's size plus 1, which fits tokens that are numbered by falling frequency.
        counts: How often each token occurs in the training text, shape (vocabulary,); for "unigram" alone.
        bias: Whether there is b.

    Raises:
        UsageError: The proposal's counts are missing or do not fit, or there is nothing to draw.
    """

    def __init__(
        self,
        weight: nn.Parameter | tuple[int, int],
        negatives: int = 1024,
        *,
        proposal: Proposal = "log-uniform",
        counts: Tensor | None = None,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.weight = weight if isinstance(weight, nn.Parameter) else new_weight(*weight)
        vocabulary = len(self.weight)
        if negatives < 1:
            raise UsageError(f"SampledSoftmax: negatives is {negatives}, expected 1 or more")
        self.negatives = negatives
        self.bias = nn.Parameter(self.weight.new_zeros(vocabulary)) if bias else None
        shares = _shares(proposal, counts, vocabulary)
        self.shares: Tensor
        self.cumulative: Tensor
        self.register_buffer("shares", shares.to(self.weight.device), persistent=False)
        self.register_buffer("cumulative", shares.cumsum(0).to(self.weight.device), persistent=False)

    def forward(self, features: Tensor, targets: Tensor, *, ignore_index: int = -100) -> Tensor:
        """The mean loss: sampled in training, that of the whole softmax in evaluation.

        Args:
            features: Shape (..., features).
            targets: The right token of each row, shape (...), int64.
            ignore_index: Rows with this target are left out.

        Raises:
            UsageError: Shapes or dtypes do not fit, or a target is no token.
        """
        if not self.training:
            return linear_cross_entropy(features, self.weight, targets, self.bias, ignore_index=ignore_index)
        rows, right, _ = kept_rows("SampledSoftmax", features, self.weight, targets, self.bias, ignore_index)
        if not len(right):
            return rows.sum() * torch.nan
        drawn, corrections = self.sample()
        sample = drawn, corrections.to(rows.dtype)
        loss: Tensor = _SampledLoss.apply(rows, self.weight, self.bias, right, *sample, torch.is_grad_enabled())
        return loss

    def sample(self) -> tuple[Tensor, Tensor]:
        """Draws tokens for a batch.

        Returns:
            The different tokens that were drawn, sorted, int64, and of each the logarithm of how often it was drawn
            over how often that was to be expected, float64: both of shape (drawn,).
        """
        numbers = torch.rand(self.negatives, dtype=torch.float64, device=self.cumulative.device)
        drawn = torch.searchsorted(self.cumulative, numbers * self.cumulative[-1], right=True)
        tokens, times = drawn.clamp_(max=len(self.shares) - 1).unique(return_counts=True)
        return tokens, (times / (self.negatives * self.shares[tokens])).log()

    def log_prob(self, features: Tensor) -> Tensor:
        """The logarithm of every token's probability, shape (..., vocabulary)."""
        return nn.functional.linear(features, self.weight, self.bias).log_softmax(-1)

    def extra_repr(self) -> str:
        """The sizes, then what was chosen."""
        vocabulary, width = self.weight.shape
        return f"{vocabulary}, {width}, negatives={self.negatives}, bias={self.bias is not None}"


def new_weight(vocabulary: int, width: int) -> nn.Parameter:
    """A matrix whose logits of features around 1 are around 1."""
    return nn.Parameter(torch.randn(vocabulary, width) * width**-0.5)


def _shares(proposal: str, counts: Tensor | None, vocabulary: int) -> Tensor:
    if proposal == "log-uniform" and counts is None:
        edges = torch.arange(1, vocabulary + 2, dtype=torch.float64).log()
        return edges.diff() / edges[-1]
    if proposal == "unigram" and counts is not None:
        if counts.shape != (vocabulary,):
            raise TensorError(f"SampledSoftmax: counts are {tuple(counts.shape)}, expected ({vocabulary},)")
        if bool((counts < 0).any()) or not bool(counts.sum() > 0):
            raise UsageError("SampledSoftmax: counts are below 0, or all 0; give how often each token occurs")
        # A token that never occurred is drawn now and then, or its logit would never fall.
        weights = counts.double().clamp(min=0.5) ** _POWER
        return weights / weights.sum()
    raise UsageError(
        f'SampledSoftmax: proposal="{proposal}" {"with" if counts is not None else "without"} counts, expected '
        '"unigram" with counts or "log-uniform" without'
    )


class _SampledLoss(torch.autograd.Function):
    """The mean of the losses of rows against drawn tokens."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, drawn: Tensor, corrections: Tensor,
        is_followed: bool,
    ) -> Tensor:  # fmt: skip
        wanted = tuple(ctx.needs_input_grad[:3])
        negatives, offsets = weight[drawn], corrections if bias is None else corrections + bias[drawn]
        gradients = FactorGradients.zeros((x, negatives, offsets), wanted) if is_followed and any(wanted) else None
        right = weight[targets]
        target_scores = (x * right).sum(1) if bias is None else (x * right).sum(1).add_(bias[targets])
        losses, slopes = _losses(x, negatives, offsets, target_scores, _places(targets, drawn), gradients)
        ctx.save_for_backward(*_whole(gradients, slopes, x, weight, right, targets, drawn) if gradients else ())
        return losses.mean()

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        refuse_second_derivative("SampledSoftmax")
        return *[None if g is None else g * slope for g in ctx.saved_tensors], None, None, None, None


def _places(targets: Tensor, drawn: Tensor) -> Tensor:
    """Where among the drawn tokens each target is; -1 where it is not."""
    places = torch.searchsorted(drawn, targets).clamp_(max=len(drawn) - 1)
    return places.where(drawn[places] == targets, -1)


def _losses(
    x: Tensor,
    negatives: Tensor,
    offsets: Tensor,
    target_scores: Tensor,
    places: Tensor,
    gradients: FactorGradients | None,
) -> tuple[Tensor, Tensor]:
    """The loss of each row, and the derivative of their mean by the logit of the right token.

    Args:
        x: Features, shape (rows, features).
        negatives: The weights of the drawn tokens, shape (drawn, features).
        offsets: What is added to their logits.
        target_scores: The logit of each row's right token.
        places: Where the right token is among the drawn ones, -1 where it is not.
        gradients: What the gradients of x, of the negatives and of the offsets are added to; None without.
    """
    losses, slopes = torch.empty_like(target_scores), torch.empty_like(target_scores)
    height = min(rows_at_once(len(negatives) + 1), len(x))
    logits, logarithms = x.new_empty(height, len(negatives) + 1), x.new_empty(height, len(negatives) + 1)
    for first in range(0, len(x), height):
        rows = slice(first, min(first + height, len(x)))
        block, logs = logits[: rows.stop - first], logarithms[: rows.stop - first]
        torch.addmm(offsets, x[rows], negatives.t(), out=block[:, :-1])
        # An accidental hit: the right token does not stand against itself. Without one it is the last place, which its
        # logit takes.
        block.scatter_(1, places[rows, None] % block.shape[1], block.new_full((len(block), 1), -torch.inf))
        block[:, -1] = target_scores[rows]
        torch.log_softmax(block, 1, out=logs)
        losses[rows] = -logs[:, -1]
        if gradients is not None:
            slope = logs.exp_().div_(len(x))
            slopes[rows] = slope[:, -1] - 1 / len(x)
            add_gradients(slope[:, :-1], x[rows], negatives, rows, gradients)
    return losses, slopes


def _whole(
    gradients: FactorGradients, slopes: Tensor, x: Tensor, weight: Tensor, right: Tensor, targets: Tensor, drawn: Tensor
) -> FactorGradients:
    """The gradients of the whole matrix and bias, and that of x with the part of the right tokens."""
    into_x, into_weight, into_bias = gradients
    if into_x is not None:
        into_x.addcmul_(right, slopes[:, None])
    if into_weight is not None:
        into_weight = torch.zeros_like(weight).index_add_(0, drawn, into_weight)
        into_weight.index_add_(0, targets, x * slopes[:, None])
    if into_bias is not None:
        into_bias = slopes.new_zeros(len(weight)).index_add_(0, drawn, into_bias).index_add_(0, targets, slopes)
    return FactorGradients(into_x, into_weight, into_bias)
