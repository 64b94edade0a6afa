r"""The scalar LSTM of the xLSTM: an exponential input gate, a normaliser, and a stabiliser that keeps both in range.

$$ \begin{aligned}
\tilde{f}_t &= \log \sigma(W_f x_t + b_f + U_f h_{t-1} + b'_f), \qquad
\tilde{\imath}_t = W_i x_t + b_i + U_i h_{t-1} + b'_i \\
m_t &= \max(\tilde{f}_t + m_{t-1},\; \tilde{\imath}_t) && \text{stabiliser} \\
i_t &= \exp(\tilde{\imath}_t - m_t) && \text{input gate} \\
f_t &= \exp(\tilde{f}_t + m_{t-1} - m_t) && \text{forget gate} \\
z_t &= \tanh(W_z x_t + b_z + U_z h_{t-1} + b'_z) && \text{candidate} \\
o_t &= \sigma(W_o x_t + b_o + U_o h_{t-1} + b'_o) && \text{output gate} \\
c_t &= f_t \odot c_{t-1} + i_t \odot z_t && \text{cell state} \\
n_t &= f_t \odot n_{t-1} + i_t && \text{normaliser} \\
h_t &= o_t \odot c_t / n_t && \text{output}
\end{aligned} $$

The forget gate is a sigmoid, one of the paper's two choices. $m_t$ changes the scale of $c_t$ and $n_t$ alike and so
never $h_t$. While nothing has been stored, $n_{t-1} = 0$ and $m_t = \tilde{\imath}_t$, as in the authors' code: a state
of zeros is the start. The blocks of the xLSTM around the cell (block-diagonal $U$, convolution, group norm) are no
part of it. Gate order in the weights: i, f, z, o.

Source: M. Beck et al., "xLSTM: extended long short-term memory", NeurIPS 2024, equations 8-17.
"""

from __future__ import annotations

import torch
from torch import Tensor, exp, sigmoid, tanh
from torch.nn.functional import softplus

from gatework.cells._spec import CellSpec


def step(a_i: Tensor, a_f: Tensor, a_z: Tensor, a_o: Tensor, c: Tensor, n: Tensor, m: Tensor) -> dict[str, Tensor]:
    """One time step; every argument and result has shape (batch, hidden)."""
    kept = m - softplus(-a_f)
    stabiliser = torch.where(n > 0, torch.maximum(kept, a_i), a_i)
    i = exp(a_i - stabiliser)
    f = exp(torch.where(n > 0, kept - stabiliser, 0.0))
    z = tanh(a_z)
    o = sigmoid(a_o)
    c = f * c + i * z
    n = f * n + i
    h = o * c / n
    return {"i": i, "f": f, "z": z, "o": o, "c": c, "n": n, "m": stabiliser, "h": h}


SPEC = CellSpec(name="slstm", title="sLSTM (Beck et al. 2024)", step=step, states=("h", "c", "n", "m"), forget_gate="f")
