"""One scan, a cell run over a batch of sequences in one direction: the noun that everything in this package takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Generic, NamedTuple, TypeVar

from torch import Tensor

from gatework.cells import CellSpec
from gatework.scan.options import PLAIN, Norms, StepOptions

Value = TypeVar("Value")


class ScanWeights(NamedTuple):
    """The weights of one layer in one direction; G gates take the input product, R the recurrent one.

    Attributes:
        weight_ih: W, shape (G hidden, input).
        weight_hh: U, shape (R hidden, output); without rows for a cell that has no recurrent product.
        bias_ih: b, shape (G hidden,), or None.
        bias_hh: b', shape (R hidden,), or None.
        weight_hr: The projection of the output, shape (output, hidden), or None; then output = hidden.
        weight_unit: The learnt vectors of the cell, shape (vectors, hidden), or None where it has none.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None
    weight_hr: Tensor | None = None
    weight_unit: Tensor | None = None

    def contiguous(self) -> ScanWeights:
        """The same weights, each in one piece of memory."""
        return ScanWeights(in_memory(self.weight_ih), in_memory(self.weight_hh), *all_in_memory(self[2:]))


class Exposed:
    """An output that a caller holds and may change in place, which the backward pass reads as it was.

    The alias shares the output's memory and its count of changes; the output itself would hold its own node.
    """

    __slots__ = ("_alias", "_version")

    def __init__(self, output: Tensor) -> None:
        self._alias = output.detach()
        self._version = output._version

    def as_given(self) -> Tensor | None:
        """The output as it was given; None where it has been changed since."""
        return self._alias if self._alias._version == self._version else None


class Slots(NamedTuple, Generic[Value]):
    """A value for each tensor of a scan that can have a derivative: itself, its gradient, or whether that is wanted.

    The order of the fields is that in which an operator or a node of the graph of derivatives is given the tensors.
    """

    x: Value
    weight_ih: Value
    weight_hh: Value
    bias_ih: Value
    bias_hh: Value
    weight_hr: Value
    weight_unit: Value
    norm_ih: Value
    norm_hh: Value
    norm_state: Value
    norm_state_bias: Value
    states: Sequence[Value]

    @property
    def weights(self) -> tuple[Value, ...]:
        """Those of the weights, in the order of `ScanWeights`."""
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, self.weight_hr, self.weight_unit

    @property
    def norms(self) -> tuple[Value, ...]:
        """Those of the layer norm, in the order of `Norms`."""
        return self.norm_ih, self.norm_hh, self.norm_state, self.norm_state_bias

    def flat(self) -> list[Value]:
        """All in a row, the states last."""
        return [self.x, *self.weights, *self.norms, *self.states]

    @classmethod
    def of(cls, flat: Sequence[Value]) -> Slots[Value]:
        """The inverse of `flat()`."""
        x, w_ih, w_hh, b_ih, b_hh, w_hr, w_unit, n_ih, n_hh, n_state, n_state_bias, *states = flat
        return cls(x, w_ih, w_hh, b_ih, b_hh, w_hr, w_unit, n_ih, n_hh, n_state, n_state_bias, states)


class Settings(NamedTuple):
    """What a scan is given besides tensors that can have derivatives.

    Attributes:
        spec: The cell.
        batch_sizes: The number of sequences running at each step, int64 on the CPU, shape (time,); None when uniform.
        reverse: Whether each sequence runs from its own end to its start.
        options: What acts around the cell, without the weights of the layer norm.
        is_normalised: Whether there is a layer norm.
    """

    spec: CellSpec
    batch_sizes: Tensor | None
    reverse: bool
    options: StepOptions
    is_normalised: bool

    def scan(self, slots: Slots[Tensor | None]) -> Scan:
        """The scan with these tensors."""
        options = replace(self.options, norms=Norms(*slots.norms)) if self.is_normalised else self.options
        states = [state for state in slots.states if state is not None]
        assert slots.x is not None
        weights = ScanWeights._make(slots.weights)
        return Scan(self.spec, slots.x, weights, states, self.batch_sizes, self.reverse, options)


class Scan(NamedTuple):
    """One layer in one direction over a batch of sequences.

    Attributes:
        spec: The cell.
        x: The input, shape (time, batch, input), or (rows, input) when packed.
        weights: The weights of this layer and direction.
        states: The initial states in the order of `spec.states`; `h` has shape (batch, output), the others
            (batch, hidden).
        batch_sizes: The number of sequences running at each step, int64 on the CPU, shape (time,); None when uniform.
        reverse: Whether each sequence runs from its own end to its start.
        options: What acts around the cell.
    """

    spec: CellSpec
    x: Tensor
    weights: ScanWeights
    states: Sequence[Tensor]
    batch_sizes: Tensor | None = None
    reverse: bool = False
    options: StepOptions = PLAIN

    @property
    def slots(self) -> Slots[Tensor | None]:
        """Its tensors that can have derivatives."""
        return Slots(self.x, *self.weights, *(self.options.norms or Norms()), self.states)

    @property
    def settings(self) -> Settings:
        """All besides them."""
        options, norms = self.options, self.options.norms
        plain = options if norms is None else replace(options, norms=None)
        return Settings(self.spec, self.batch_sizes, self.reverse, plain, norms is not None)

    def wants_gradient(self, is_enabled: bool) -> bool:
        """Whether a derivative may be asked for."""
        return is_enabled and any(t is not None and t.requires_grad for t in self.slots.flat())


def in_memory(tensor: Tensor) -> Tensor:
    """The tensor in one piece of memory that holds its very numbers, which a lazy change of sign does not."""
    whole = tensor.contiguous()
    return whole.resolve_neg() if whole.is_neg() else whole  # to ask takes less time than the operator


def all_in_memory(tensors: Iterable[Tensor | None]) -> list[Tensor | None]:
    """As `in_memory()` for each that is there."""
    return [None if t is None else in_memory(t) for t in tensors]
