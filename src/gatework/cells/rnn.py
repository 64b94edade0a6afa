r"""The vanilla recurrent network (Elman, 1990).

$$ h_t = \varphi(W x_t + b + U h_{t-1} + b') $$

with $\varphi = \tanh$ or $\varphi(a) = \max(a, 0)$. `weight_ih` is $W$, `weight_hh` is $U$.

Source: J. L. Elman, "Finding structure in time", Cognitive Science 14(2), 1990.
"""

from __future__ import annotations

from torch import Tensor, relu, tanh

from gatework.cells._spec import CellSpec


def step(a_h: Tensor) -> dict[str, Tensor]:
    """One time step with tanh; the accumulator and the state have shape (batch, hidden)."""
    h = tanh(a_h)
    return {"h": h}


def step_relu(a_h: Tensor) -> dict[str, Tensor]:
    """One time step with the rectifier; the accumulator and the state have shape (batch, hidden)."""
    h = relu(a_h)
    return {"h": h}


SPEC = CellSpec(name="rnn", title="Vanilla RNN, tanh (Elman 1990)", step=step)
SPEC_RELU = CellSpec(name="rnn_relu", title="Vanilla RNN, rectifier (Elman 1990)", step=step_relu)
