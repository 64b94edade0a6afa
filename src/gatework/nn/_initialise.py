"""How the weights of a recurrent layer start."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import init

from gatework.cells import CellSpec


def uniform(parameters: Iterable[Tensor], hidden_size: int) -> None:
    """torch's own start: every weight and bias uniform between -1/sqrt(hidden) and 1/sqrt(hidden).

    The parameters have any shapes. Their order is torch's, so that the same seed gives the same weights as torch.nn.
    """
    bound = 1 / math.sqrt(hidden_size)
    for parameter in parameters:
        init.uniform_(parameter, -bound, bound)


@torch.no_grad()
def forget_bias(spec: CellSpec, bias_ih: Tensor, bias_hh: Tensor | None, value: float) -> None:
    """Make the forget gate's biases add up to `value`, so that a cell with a large one remembers at first.

    Source: R. Jozefowicz, W. Zaremba and I. Sutskever, "An empirical exploration of recurrent network architectures",
    ICML 2015, section 2.2, who recommend 1.

    Args:
        spec: The cell, which must have a forget gate.
        bias_ih: b, shape (gates x hidden,).
        bias_hh: b', shape (recurrent gates x hidden,); None where the recurrent product has none.
        value: The sum.
    """
    gate = str(spec.forget_gate)
    if gate in spec.input_gates:
        bias_ih.chunk(len(spec.input_gates))[spec.input_gates.index(gate)].fill_(value)
    if gate in spec.recurrent_gates and bias_hh is not None:
        rest = 0.0 if gate in spec.input_gates else value
        bias_hh.chunk(len(spec.recurrent_gates))[spec.recurrent_gates.index(gate)].fill_(rest)


@torch.no_grad()
def orthogonal(spec: CellSpec, weight_hh: Tensor) -> None:
    """Make the recurrent matrix of every gate orthogonal on its own, which the stacked matrix could not be for all.

    Source: A. Saxe, J. McClelland and S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks", ICLR 2014.

    Args:
        spec: The cell.
        weight_hh: U, shape (recurrent gates x hidden, output); where output < hidden, its columns are orthonormal.
    """
    for block in weight_hh.chunk(len(spec.recurrent_gates)) if spec.recurrent_gates else ():
        init.orthogonal_(block)


@torch.no_grad()
def keras(spec: CellSpec, weight_ih: Tensor, weight_hh: Tensor | None, biases: Iterable[Tensor]) -> None:
    """Keras' start: Glorot's uniform W, a U whose columns are orthonormal over all gates together, biases of 0.

    Each gate's own block of U is so the smaller, the more gates there are. Source: X. Glorot and Y. Bengio,
    "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.

    Args:
        spec: The cell.
        weight_ih: W, shape (gates x hidden, input).
        weight_hh: U, shape (recurrent gates x hidden, output); None where the cell has no recurrent product.
        biases: All of them.
    """
    init.xavier_uniform_(weight_ih)
    if weight_hh is not None and spec.recurrent_gates:
        init.orthogonal_(weight_hh)
    for bias in biases:
        bias.zero_()
