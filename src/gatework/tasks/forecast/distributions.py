r"""Forecasts as distributions of two numbers, a location $\mu$ and a scale $\sigma$, beside free quantiles.

Both are given as the quantiles that they imply, $\mu + \sigma z_q$, so that all that follows is the same; $\mu$ and
$\sigma$ are had back from the quartiles.

- normal, learnt by its continuous ranked probability score, with $\omega = (y - \mu) / \sigma$:
  $\mathrm{CRPS} = \sigma (\omega (2 \Phi(\omega) - 1) + 2 \varphi(\omega) - 1 / \sqrt{\pi})$
  (T. Gneiting and A. Raftery, "Strictly proper scoring rules, prediction, and estimation", JASA 2007, section 4.2);
- Student's t with 4 degrees of freedom, for heavier tails, learnt by its likelihood:
  $-\log p = \log \sigma + \tfrac52 \log(1 + \omega^2 / 4) + \text{constant}$.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from gatework.tasks.forecast import counts
from gatework.tasks.forecast.metrics import LEVELS, MEDIAN, scaled_quantile_loss
from gatework.tasks.forecast.options import COUNTS, Distribution

if TYPE_CHECKING:
    import polars as pl

    from gatework.tasks.forecast.model import ForecastNetwork

PARAMETERS = 2
"""The numbers of a distribution with a location and a scale."""
WIDTHS: Mapping[Distribution, int] = {
    "free": len(LEVELS),
    "normal": PARAMETERS,
    "student": PARAMETERS,
    COUNTS: counts.PARAMETERS,
}
"""How many numbers a network answers for each step."""
_DEGREES = 4
# A loss of 0 says that none was measured yet.
_TINY = 1e-30
_LOW, _HIGH = MEDIAN - 1, MEDIAN + 1


def quantiles(raw: Tensor, distribution: Distribution) -> Tensor:
    """Location and raw scale, shape (..., 2), to quantiles, shape (..., levels)."""
    return raw[..., :1] + softplus(raw[..., 1:] - 1) * raw.new_tensor(standard(distribution))


def score(measured: Tensor, y: Tensor, distribution: Distribution) -> Tensor:
    """The loss of each step.

    Args:
        measured: Quantiles that `quantiles()` gave, shape (batch, horizon, levels).
        y: What came to pass, in the same measure, shape (batch, horizon).
        distribution: Which one.
    """
    unit, tiny = standard(distribution), torch.finfo(measured.dtype).eps
    scale = ((measured[..., _HIGH] - measured[..., _LOW]) / (unit[_HIGH] - unit[_LOW])).clamp(min=tiny)
    omega = (y - measured[..., MEDIAN]) / scale
    if distribution == "student":
        return scale.log() + (_DEGREES + 1) / 2 * (omega**2 / _DEGREES).log1p()
    density = torch.exp(-(omega**2) / 2) / math.sqrt(2 * math.pi)
    return scale * (omega * torch.erf(omega / math.sqrt(2)) + 2 * density - 1 / math.sqrt(math.pi))


_Array = TypeVar("_Array", Tensor, np.ndarray)


def parted(said: _Array) -> tuple[_Array | None, _Array | None]:
    """The quantiles and the numbers of laws of counts in what a network says, whichever there are."""
    quantiles, laws = said.shape[-1] >= len(LEVELS), said.shape[-1] != len(LEVELS)
    return said[..., : len(LEVELS)] if quantiles else None, said[..., -counts.PARAMETERS :] if laws else None


def in_own_unit(said: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """The quantiles of what a network says, float64 where something was taken off its windows.

    Args:
        said: Shape (batch, horizon, numbers); of both, the law of counts answers.
        centre: What was taken off the values of each window, shape (batch,).
    """
    _, laws = parted(said)
    if laws is not None:
        return counts.quantiles(laws)
    return said + centre[:, None, None] if centre.any() else said


def choose_distribution(network: ForecastNetwork, said: Callable[[], np.ndarray], actuals: np.ndarray) -> None:
    """Lets a network that learnt both answer by the law of counts, or by free quantiles, whichever loses less.

    Args:
        network: The network; one that has decided, or learnt one distribution, stays as it is.
        said: Gives the quantiles of the validation origins, as it answers now.
        actuals: What came to pass, as `Origins.actuals()` gives it.
    """
    if len(network.answering) == 1:
        return
    losses = []
    for distribution in network.answering:
        network.answer_by((distribution,))
        losses.append(max(scaled_quantile_loss(said(), actuals), _TINY))
    network.losses.copy_(torch.tensor(losses))
    network.decide()


def compared(network: ForecastNetwork) -> dict[str, pl.DataFrame]:
    """What each of two distributions lost on the validation part, and which answers; nothing of a network with one."""
    import polars as pl

    if network.free_answer is None:
        return {}
    names = [COUNTS, "free"]
    columns = {"distribution": names, "validation_loss": network.losses.tolist()}
    return {"distribution": pl.DataFrame(columns | {"answers": [name in network.answering for name in names]})}


@cache
def standard(distribution: Distribution) -> tuple[float, ...]:
    """The quantiles of the distribution with location 0 and scale 1."""
    from scipy import stats

    return tuple((stats.norm if distribution == "normal" else stats.t(_DEGREES)).ppf(LEVELS).tolist())
