r"""Forecasts of counts by the law of a count: a negative binomial with extra zeros, three numbers for each step.

With a mean $\mu > 0$, a dispersion $\alpha > 0$, $r = 1 / \alpha$, and a share of extra zeros $\pi$,

$$ P(y) = \pi\, [y = 0] + (1 - \pi)\, \frac{\Gamma(y + r)}{\Gamma(r)\, y!}
   \left(\frac{r}{r + \mu}\right)^r \left(\frac{\mu}{r + \mu}\right)^y , $$

whose variance is $\mu + \alpha \mu^2$ where $\pi = 0$: a Poisson law where $\alpha$ is near 0. It is learnt by its
negative log likelihood. Its quantiles, the least $k$ with $P(y \le k) \ge q$, are whole numbers of 0 or more.

The mean is a multiple of the window's own, $m$, to whose sum half a count is added, as it must be above 0:

$$ \log \mu = \log m + w \log \frac{s + 1/2}{m + 1/2} + a $$

with the simple forecast $s$ of the step, a learnt $w$, which begins at 1 for a regression and at 0 for single values of
the past, and $a$ of the network, which is given the window's size, as its values are measured by that.

Sources: D. Salinas et al., "DeepAR: Probabilistic forecasting with autoregressive recurrent networks", International
Journal of Forecasting 2020 (a negative binomial, measured by the series' mean); D. Lambert, "Zero-inflated Poisson
regression, with an application to defects in manufacturing", Technometrics 1992 (extra zeros).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from gatework.tasks.forecast.measures import Logarithm
from gatework.tasks.forecast.metrics import LEVELS

PARAMETERS = 3
"""The numbers of a law: its mean, its dispersion and its share of extra zeros."""
FIRST_DISPERSION, FIRST_ZEROS = -1.5, -4.0
"""Where the network answers 0: a dispersion of 0.22, and 2 % of extra zeros."""
LOG_MEAN, LOG_DISPERSION = (-12.0, 14.0), (-10.0, 4.0)
"""The logarithms of means and dispersions stay within these: a dispersion of 5e-5 is a Poisson law."""
_SIZES = 3
# Quantiles below this are counted up to; larger ones are found by scipy, which is slower for small ones.
_COUNTED = 64


class WindowCounts(NamedTuple):
    """What is known of a window in its own unit.

    Attributes:
        mean: Its mean, above 0, shape (batch,).
        simple: The simple forecast, 0 or more, shape (batch, horizon).
        sizes: Numbers that say how large its values are, shape (batch, 3).
    """

    mean: Tensor
    simple: Tensor
    sizes: Tensor

    @classmethod
    def of(cls, inputs: Tensor, level: Tensor, scale: Tensor, skip: Tensor, log: Logarithm | None) -> WindowCounts:
        """Of windows as a network gets them; the arguments are those of its `forward()`."""

        def unscaled(measured: Tensor) -> Tensor:
            values = level[:, None] + scale[:, None] * measured
            values = values if log is None else values.clamp(max=LOG_MEAN[1]).exp() - log.offset
            return values.clamp(min=0)

        seen = inputs[..., 1]
        mean = ((unscaled(inputs[..., 0]) * seen).sum(dim=1) + 0.5) / seen.sum(dim=1).clamp(min=1)
        return cls(mean, unscaled(skip), torch.stack([mean.log(), level.asinh(), scale.log()], dim=-1))


class CountLaw(nn.Module):
    """What makes laws of a network's numbers.

    Args:
        hidden: The units of the network.
        follow: w, to begin with.
    """

    def __init__(self, hidden: int, follow: float) -> None:
        super().__init__()
        self.size = nn.Linear(_SIZES, hidden, bias=False)
        self.follow = nn.Parameter(torch.tensor(follow))

    def forward(self, raw: Tensor, window: WindowCounts) -> Tensor:
        """Mean, dispersion and share of extra zeros, shape (batch, horizon, 3), of numbers of that shape."""
        towards = ((window.simple + 0.5) / (window.mean[:, None] + 0.5)).log()
        log_mean = window.mean.log()[:, None] + self.follow * towards + raw[..., 0]
        log_dispersion = raw[..., 1] + FIRST_DISPERSION
        zeros = torch.sigmoid(raw[..., 2] + FIRST_ZEROS)
        return torch.stack(
            [log_mean.clamp(*LOG_MEAN).exp(), log_dispersion.clamp(*LOG_DISPERSION).exp(), zeros], dim=-1
        )


def negative_log_likelihood(laws: Tensor, y: Tensor) -> Tensor:
    """What counts cost under laws, in nats, in float64, as terms of large counts cancel.

    Args:
        laws: Mean, dispersion and share of extra zeros, shape (..., 3).
        y: The counts, shape (...).
    """
    mean, dispersion, zeros = laws.double().unbind(-1)
    y, r = y.double(), 1 / dispersion
    log_mass = torch.lgamma(y + r) - torch.lgamma(r) - torch.lgamma(y + 1)
    log_mass = log_mass - r * torch.log1p(mean * dispersion) - y * torch.log1p(r / mean)
    without = torch.log1p(-zeros) + log_mass
    return -torch.where(y == 0, torch.logaddexp(zeros.log(), without), without)


def quantiles(laws: np.ndarray) -> np.ndarray:
    """The quantiles of laws at `LEVELS`, whole numbers, shape (..., levels), float64.

    Args:
        laws: Mean, dispersion and share of extra zeros, shape (..., 3).
    """
    mean, dispersion, zeros = laws.reshape(-1, PARAMETERS).astype(np.float64).T
    r, levels = 1 / dispersion, np.array(LEVELS)
    mass = (1 - zeros) * np.exp(-r * np.log1p(mean * dispersion))
    growth, below = mean / (mean + r), zeros + mass
    said = np.zeros((len(mean), len(levels)))
    left = np.arange(len(mean))
    for count in range(_COUNTED):
        is_short = below[:, None] < levels
        said[left] += is_short
        kept = is_short[:, -1]
        left, below, growth, r = left[kept], below[kept], growth[kept], r[kept]
        mass = mass[kept] * growth * (count + r) / (count + 1)
        below = below + mass
    if len(left):
        said[left] = _large(mean[left, None], dispersion[left, None], zeros[left, None])
    return said.reshape(*laws.shape[:-1], len(levels))


def _large(mean: np.ndarray, dispersion: np.ndarray, zeros: np.ndarray) -> np.ndarray:
    from scipy import stats

    left = (np.array(LEVELS) - zeros) / (1 - zeros)
    large: np.ndarray = stats.nbinom.ppf(np.maximum(left, 0.0), 1 / dispersion, 1 / (1 + mean * dispersion))
    # The quantile at 0 is -1 there.
    return np.maximum(large, 0.0)
