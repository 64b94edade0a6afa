r"""The long short-term memory with forget gate.

$$ \begin{aligned}
i_t &= \sigma(W_i x_t + b_i + U_i h_{t-1} + b'_i) && \text{input gate} \\
f_t &= \sigma(W_f x_t + b_f + U_f h_{t-1} + b'_f) && \text{forget gate} \\
g_t &= \tanh(W_g x_t + b_g + U_g h_{t-1} + b'_g) && \text{candidate, also written } \tilde{c}_t \\
o_t &= \sigma(W_o x_t + b_o + U_o h_{t-1} + b'_o) && \text{output gate} \\
c_t &= f_t \odot c_{t-1} + i_t \odot g_t && \text{cell state} \\
h_t &= o_t \odot \tanh(c_t) && \text{output}
\end{aligned} $$

The other usual notation has one matrix per gate on the concatenation $[h_{t-1}, x_t]$,

$$ f_t = \sigma(W'_f \cdot [h_{t-1}, x_t] + b''_f), \qquad W'_f = [\,U_f \; W_f\,], \quad b''_f = b_f + b'_f, $$

which is the same function: `concatenated()` gives $W'$ and $b''$. Gate order in the weights: i, f, g, o.

Source: S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997; the forget gate:
F. Gers, J. Schmidhuber and F. Cummins, "Learning to forget", Neural Computation 12(10), 2000.
"""

from __future__ import annotations

import torch
from torch import Tensor, sigmoid, tanh

from gatework.cells._spec import CellSpec


def step(a_i: Tensor, a_f: Tensor, a_g: Tensor, a_o: Tensor, c: Tensor) -> dict[str, Tensor]:
    """One time step; every argument and result has shape (batch, hidden)."""
    i = sigmoid(a_i)
    f = sigmoid(a_f)
    g = tanh(a_g)
    o = sigmoid(a_o)
    c = f * c + i * g
    h = o * tanh(c)
    return {"i": i, "f": f, "g": g, "o": o, "c": c, "h": h}


def concatenated(weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor) -> tuple[Tensor, Tensor]:
    """The same weights in the notation with one matrix on `[h, x]`.

    Args:
        weight_ih: W, shape (4 hidden, input).
        weight_hh: U, shape (4 hidden, hidden).
        bias_ih: b, shape (4 hidden,).
        bias_hh: b', shape (4 hidden,).

    Returns:
        W' of shape (4 hidden, hidden + input) and b'' of shape (4 hidden,).
    """
    return torch.cat([weight_hh, weight_ih], dim=1), bias_ih + bias_hh


SPEC = CellSpec(
    name="lstm", title="LSTM (Hochreiter & Schmidhuber 1997)", step=step, states=("h", "c"), forget_gate="f"
)
