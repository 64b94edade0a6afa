r"""What may act around any cell at a step: the one place of these equations.

- Recurrent dropout: one mask $m$ for all steps on the $h_{t-1}$ that the recurrent product sees, $m h_{t-1}$. Source:
  Y. Gal and Z. Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks", NIPS 2016,
  equation 7.
- Layer norm, of a product over all its gates and of a state within the output's tanh over the units:
  $(a - \mu) / \sqrt{\sigma^2 + \epsilon}$, times a gain, plus a bias; the mean and the variance are those of the $a$ of
  one sequence, $\epsilon$ is torch's. Source: J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", 2016,
  equations 20-22.

On each state once the step is made, from the one before it, $s_{t-1}$, and the new one that the cell gives,
$\tilde{s}_t$, in this order:

- Clipping: a state stays within a distance $l$ of 0, $\min(\max(\tilde{s}_t, -l), l)$.
- Zoneout: a unit keeps its previous state with probability $p$: $k_t s_{t-1} + (1 - k_t) \tilde{s}_t$ with
  $k_t \sim \mathrm{Bernoulli}(p)$ in training and its mean, $k_t = p$, in evaluation. Source: D. Krueger et al.,
  "Zoneout: regularizing RNNs by randomly preserving hidden activations", ICLR 2017, section 3.2.

A state option is a function of the two states and one number for each state. The reference runs it on tensors; on
symbols it gives the kernels' code and its derivative (`make cells`), the live page's and that of exported models, as
`step()` of a cell does. Dropout and layer norm give the kernels' code likewise; on tensors torch's own layer norm
stands for the latter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from gatework.cells._symbol import Symbol

EPSILON = 1e-5


@dataclass(frozen=True)
class StateOption:
    """One thing that acts on a state after the step.

    Attributes:
        name: What it is called.
        apply: From the previous state, the new one and the option's number to the state that is carried on.
        neutral: The number that changes nothing.
        is_drawn: Whether the number is a probability, in place of which training draws 0 or 1 for each unit.
    """

    name: str
    apply: Callable[[Any, Any, Any], Any]
    neutral: float
    is_drawn: bool = False


def clip(previous: Any, new: Any, limit: Any) -> Any:
    """The new state within a distance of 0."""
    del previous
    return torch.where(new > limit, limit, torch.where(-limit > new, -limit, new))


def zoneout(previous: Any, new: Any, share: Any) -> Any:
    """The mean of both states, `share` of it the previous one; 1 keeps the unit and 0 does not."""
    return share * previous + (1 - share) * new


def dropout(h: Any, mask: Any) -> Any:
    """The h that the recurrent product sees; the mask is 0 or one over the share that is kept."""
    return h * mask


def normalise(values: Symbol) -> tuple[Symbol, Symbol]:
    """The values of one row with mean 0 and variance 1, and one over their standard deviation."""
    apply = values.graph.apply
    centred = values - apply("mean", values)
    scale = apply("rsqrt", apply("mean", centred * centred) + EPSILON)
    return centred * scale, scale


def scaled(normalised: Any, gain: Any, bias: Any) -> Any:
    """Normalised values with their gain and bias."""
    return normalised * gain + bias


STATE_OPTIONS = (
    StateOption("clip", clip, neutral=math.inf),
    StateOption("zoneout", zoneout, neutral=0.0, is_drawn=True),
)


def evaluated(state: str, previous: Any, new: Any, numbers: Mapping[str, Mapping[str, float]]) -> Any:
    """The state that is carried on in evaluation.

    Args:
        state: Its name.
        previous: The state before the step.
        new: The state that the cell gives.
        numbers: By option and state the option's number; nothing acts where there is none.
    """
    for option in STATE_OPTIONS:
        number = numbers.get(option.name, {}).get(state, option.neutral)
        if number != option.neutral:
            new = option.apply(previous, new, number)
    return new
