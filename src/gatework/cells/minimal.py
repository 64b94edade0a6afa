r"""The minimal long short-term memory: gates that see the input alone.

$$ \begin{aligned}
\tilde{f}_t &= \sigma(W_f x_t + b_f), \qquad \tilde{\imath}_t = \sigma(W_i x_t + b_i) \\
f_t &= \tilde{f}_t \,/\, (\tilde{f}_t + \tilde{\imath}_t) && \text{forget gate} \\
i_t &= 1 - f_t && \text{input gate} \\
g_t &= W_g x_t + b_g && \text{candidate} \\
h_t &= f_t \odot h_{t-1} + i_t \odot g_t && \text{output}
\end{aligned} $$

There is no recurrent matrix, so no `weight_hh`. The quotient is computed as
$\sigma(\log \tilde{f}_t - \log \tilde{\imath}_t)$, which is the same number and stays finite where both are tiny. The
paper trains it with a parallel scan over time; here it runs step by step as any cell. Gate order: f, i, g.

Source: L. Feng, F. Tung, M. O. Ahmed, Y. Bengio and H. Hajimirsadeghi, "Were RNNs all we needed?", 2024, section 3.2.
"""

from __future__ import annotations

from torch import Tensor, sigmoid
from torch.nn.functional import softplus

from gatework.cells._spec import CellSpec


def step(x_f: Tensor, x_i: Tensor, x_g: Tensor, h: Tensor) -> dict[str, Tensor]:
    """One time step; every argument and result has shape (batch, hidden)."""
    f = sigmoid(softplus(-x_i) - softplus(-x_f))
    i = 1 - f
    g = x_g
    h = f * h + i * g
    return {"f": f, "i": i, "g": g, "h": h}


SPEC = CellSpec(name="minimal", title="minLSTM (Feng et al. 2024)", step=step, forget_gate="f")
