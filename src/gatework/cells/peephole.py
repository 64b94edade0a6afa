r"""The long short-term memory with peepholes: the gates also see the cell state.

$$ \begin{aligned}
i_t &= \sigma(W_i x_t + b_i + U_i h_{t-1} + b'_i + p_i \odot c_{t-1}) && \text{input gate} \\
f_t &= \sigma(W_f x_t + b_f + U_f h_{t-1} + b'_f + p_f \odot c_{t-1}) && \text{forget gate} \\
g_t &= \tanh(W_g x_t + b_g + U_g h_{t-1} + b'_g) && \text{candidate} \\
c_t &= f_t \odot c_{t-1} + i_t \odot g_t && \text{cell state} \\
o_t &= \sigma(W_o x_t + b_o + U_o h_{t-1} + b'_o + p_o \odot c_t) && \text{output gate} \\
h_t &= o_t \odot \tanh(c_t) && \text{output}
\end{aligned} $$

The input and the forget gate look at the state of before, the output gate at the new one; each unit sees its own state
only, so $p_i, p_f, p_o$ are vectors. The gates of a plain LSTM see of the state no more than the output gate lets
through. Gate order in the weights: i, f, g, o; rows of `weight_unit`: i, f, o.

Source: F. Gers and J. Schmidhuber, "Recurrent nets that time and count", IJCNN 2000.
"""

from __future__ import annotations

from torch import Tensor, sigmoid, tanh

from gatework.cells._spec import CellSpec


def step(
    a_i: Tensor, a_f: Tensor, a_g: Tensor, a_o: Tensor, p_i: Tensor, p_f: Tensor, p_o: Tensor, c: Tensor
) -> dict[str, Tensor]:
    """One time step; every argument and result has shape (batch, hidden), the vectors `p_` have shape (hidden,)."""
    i = sigmoid(a_i + p_i * c)
    f = sigmoid(a_f + p_f * c)
    g = tanh(a_g)
    c = f * c + i * g
    o = sigmoid(a_o + p_o * c)
    h = o * tanh(c)
    return {"i": i, "f": f, "g": g, "o": o, "c": c, "h": h}


SPEC = CellSpec(
    name="peephole",
    title="LSTM with peepholes (Gers & Schmidhuber 2000)",
    step=step,
    states=("h", "c"),
    forget_gate="f",
)
