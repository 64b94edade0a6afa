"""Cells of one's own, as a person would write them."""

import torch
from torch import relu, sigmoid, tanh

import gatework


@gatework.cell
def MyLSTM(a_i, a_f, a_g, a_o, c):
    """The LSTM once more."""
    i = sigmoid(a_i)
    f = sigmoid(a_f)
    g = tanh(a_g)
    o = sigmoid(a_o)
    c = f * c + i * g
    h = o * tanh(c)
    return {"i": i, "f": f, "g": g, "o": o, "c": c, "h": h}


@gatework.cell(title="A cell of every kind of parameter", unit_range=(0.5, 0.9))
def Mixed(a_z, x_g, u_r, p_decay, h, s):
    # fmt: off
    z = sigmoid(a_z) * \
        sigmoid(u_r)
    # fmt: on
    s = p_decay * s + (1 - p_decay) * x_g
    h = torch.where(s > 0.1, (1 - z) * h + z * tanh(s), torch.maximum(h, -0.5 * relu(s)))
    return {"z": z, "s": s, "h": h}


@gatework.cell
def Names(a_new, p_π, next, d):
    double = sigmoid(a_new) * p_π
    h = double * tanh(next) + d
    return {"double": double, "d_h": 0.5 * double, "next": double + 0.25 * next, "d": 0.5 * d, "t3": h, "h": h}
