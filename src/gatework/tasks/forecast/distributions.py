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
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gatework.tasks.forecast.metrics import LEVELS, MEDIAN
from gatework.tasks.forecast.options import Distribution

PARAMETERS = 2
"""How many numbers the network answers for each step."""
_DEGREES = 4
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


@cache
def standard(distribution: Distribution) -> tuple[float, ...]:
    """The quantiles of the distribution with location 0 and scale 1."""
    from scipy import stats

    return tuple((stats.norm if distribution == "normal" else stats.t(_DEGREES)).ppf(LEVELS).tolist())
