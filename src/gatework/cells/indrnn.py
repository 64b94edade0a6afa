r"""The independently recurrent network: each unit sees its own last value only.

$$ h_t = \max(W x_t + b + p_h \odot h_{t-1},\; 0) $$

There is no recurrent matrix, so no `weight_hh`: the vector $p_h$, the row of `weight_unit`, takes its place, and layers
mix the units. The gradient of a unit over $n$ steps is at most $p_h^n$; it starts between 0 and 1 as in the paper.

Source: S. Li, W. Li, C. Cook, C. Zhu and Y. Gao, "Independently recurrent neural network (IndRNN): building a longer
and deeper RNN", CVPR 2018, equation 2, where $p_h$ is called $u$.
"""

from __future__ import annotations

from torch import Tensor, relu

from gatework.cells._spec import CellSpec


def step(x_h: Tensor, p_h: Tensor, h: Tensor) -> dict[str, Tensor]:
    """One time step; `x_h`, `h` and the result have shape (batch, hidden), `p_h` has shape (hidden,)."""
    h = relu(x_h + p_h * h)
    return {"h": h}


SPEC = CellSpec(name="indrnn", title="IndRNN (Li et al. 2018)", step=step, unit_range=(0.0, 1.0))
