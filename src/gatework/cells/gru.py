r"""The gated recurrent unit, in the variant that resets after the recurrent product.

$$ \begin{aligned}
r_t &= \sigma(W_r x_t + b_r + U_r h_{t-1} + b'_r) && \text{reset gate} \\
z_t &= \sigma(W_z x_t + b_z + U_z h_{t-1} + b'_z) && \text{update gate} \\
n_t &= \tanh(W_n x_t + b_n + r_t \odot (U_n h_{t-1} + b'_n)) && \text{candidate} \\
h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}
\end{aligned} $$

This is the variant of `torch.nn.GRU` and cuDNN. Cho et al. reset *before* the recurrent product,
$U_n (r_t \odot h_{t-1})$; the two are different functions of the same weights. Gate order in the weights: r, z, n.

Source: K. Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014, equations 5-8.
"""

from __future__ import annotations

from torch import Tensor, sigmoid, tanh

from gatework.cells._spec import CellSpec


def step(a_r: Tensor, a_z: Tensor, x_n: Tensor, u_n: Tensor, h: Tensor) -> dict[str, Tensor]:
    """One time step; every argument and result has shape (batch, hidden)."""
    r = sigmoid(a_r)
    z = sigmoid(a_z)
    n = tanh(x_n + r * u_n)
    h = (1 - z) * n + z * h
    return {"r": r, "z": z, "n": n, "h": h}


SPEC = CellSpec(name="gru", title="GRU (Cho et al. 2014)", step=step)
