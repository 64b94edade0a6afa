r"""What may act on each state of any cell once its step is made: the one place of these equations.

From the state before the step, $s_{t-1}$, and the new one that the cell gives, $\tilde{s}_t$, in this order:

- Clipping: a state stays within a distance $l$ of 0, $\min(\max(\tilde{s}_t, -l), l)$.
- Zoneout: a unit keeps its previous state with probability $p$: $k_t s_{t-1} + (1 - k_t) \tilde{s}_t$ with
  $k_t \sim \mathrm{Bernoulli}(p)$ in training and its mean, $k_t = p$, in evaluation. Source: D. Krueger et al.,
  "Zoneout: regularizing RNNs by randomly preserving hidden activations", ICLR 2017, section 3.2.

An option is a function of the two states and one number for each state. The reference runs it on tensors; on symbols it
gives the kernels' code and its derivative (`make cells`) and the live page's, as `step()` of a cell does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch


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


STATE_OPTIONS = (
    StateOption("clip", clip, neutral=math.inf),
    StateOption("zoneout", zoneout, neutral=0.0, is_drawn=True),
)
