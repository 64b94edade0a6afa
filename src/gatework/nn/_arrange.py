"""A caller's batch in the one form that layers compute on, and the way back to the caller's own form."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from gatework.cells import CellSpec
from gatework.errors import UsageError
from gatework.nn import _checks, _ragged, _resets

Input = Tensor | PackedSequence
Lengths = Tensor | Sequence[int] | None


class Arrangeable(Protocol):
    """What is read of a layer, whatever computes it; `gatework.nn.LSTM` says what each is."""

    spec: CellSpec
    input_size: int
    hidden_size: int
    num_layers: int
    batch_first: bool

    @property
    def num_directions(self) -> int:
        """1, or 2."""
        ...

    @property
    def output_size(self) -> int:
        """The features of `h` in one direction."""
        ...

    @property
    def first_weight(self) -> Tensor:
        """A weight, whatever its shape, whose device and dtype are those of the computation."""
        ...


@dataclass(frozen=True, slots=True)
class ArrangedBatch:
    """A batch of sequences ready to be scanned.

    Attributes:
        x: The input, shape (time, batch, input), or (rows, input) when ragged.
        states: The initial states, each of shape (layers x directions, batch, features), in the order of the scan.
        ragged: Where the rows lie, when the sequences have different lengths.
        packed: The PackedSequence that the caller gave, if it was one.
        is_batched: False for a single sequence without a batch dimension.
        batch_first: The caller's order of the dimensions.
    """

    x: Tensor
    states: tuple[Tensor, ...]
    ragged: _ragged.Ragged | _resets.Pieces | None
    packed: PackedSequence | None
    is_batched: bool
    batch_first: bool

    @property
    def batch_sizes(self) -> Tensor | None:
        """The number of sequences running at each step, shape (steps,), or None when all run to the end."""
        return None if self.ragged is None else self.ragged.batch_sizes

    def pad(self, values: Tensor) -> Tensor:
        """Values in the layout of `x` as shape (time, batch, features), the sequences in the caller's order."""
        return values if self.ragged is None else self.ragged.pad(values)

    def restore_output(self, output: Tensor) -> Tensor | PackedSequence:
        """The output in the caller's form.

        Args:
            output: In the layout of `x`: shape (time, batch, features), or (rows, features) when ragged.

        Returns:
            A PackedSequence where the caller gave one; else zero beyond each sequence's end, shape (time, batch,
            features), (batch, time, features), or (time, features) of a single sequence.
        """
        if self.packed is not None:
            return PackedSequence(
                output, self.packed.batch_sizes, self.packed.sorted_indices, self.packed.unsorted_indices
            )
        padded = self.pad(output)
        if not self.is_batched:
            return padded.squeeze(1)
        return padded.transpose(0, 1) if self.batch_first else padded

    def restore_states(self, states: tuple[Tensor, ...]) -> Any:
        """The states in the caller's form: one tensor where the cell has one state, else a tuple.

        Args:
            states: The final states, each of shape (layers x directions, batch, features), in the order of the scan.

        Returns:
            Each of that shape in the caller's order, or (layers x directions, features) of a single sequence.
        """
        if self.ragged is not None:
            states = tuple(self.ragged.unsort(state) for state in states)
        if not self.is_batched:
            states = tuple(state.squeeze(1) for state in states)
        return states[0] if len(states) == 1 else states


def arrange(layer: Arrangeable, given: Input, hx: Any, lengths: Lengths, reset: Tensor | None = None) -> ArrangedBatch:
    """Check what a caller gave to a layer and bring it into the form that is scanned.

    Args:
        layer: The layer.
        given: Shape (time, batch, input), (batch, time, input) with `batch_first`, (time, input) of a single sequence,
            or a PackedSequence.
        hx: The initial states, each of shape (layers x directions, batch, features), or without the batch; zero if
            None.
        lengths: The steps of each sequence of a padded batch, shape (batch,); None if all have every step.
        reset: Where the state is zero before a step, in the first two dimensions of `given`.

    Raises:
        UsageError: Something does not fit; see `gatework.nn._checks`.
    """
    name = type(layer).__name__
    weight = layer.first_weight
    if isinstance(given, PackedSequence):
        if lengths is not None:
            raise UsageError(f"{name}: a PackedSequence brings its own lengths; leave out lengths=")
        if reset is not None:
            raise UsageError(f"{name}: reset= needs a padded batch; unpack the PackedSequence and give its lengths=")
        _checks.check_input(name, given.data, layer.input_size, weight, is_packed=True)
        ragged = _ragged.from_packed(given)
        states = _states(layer, hx, given.data, ragged.batch, is_batched=True)
        return ArrangedBatch(given.data, tuple(ragged.sort(state) for state in states), ragged, given, True, False)
    _checks.check_input(name, given, layer.input_size, weight, is_packed=False)
    is_batched = given.dim() == 3
    x = given if is_batched else given.unsqueeze(1)
    if is_batched and layer.batch_first:
        x = x.transpose(0, 1)
    states = _states(layer, hx, x, x.shape[1], is_batched)
    if reset is not None and x.shape[0]:
        cut = _cut(layer, x, lengths, reset, is_batched)
        return ArrangedBatch(cut.pack(x), tuple(cut.sort(s) for s in states), cut, None, is_batched, layer.batch_first)
    read = _ragged.from_traced_lengths if torch.compiler.is_compiling() else _ragged.from_lengths
    uneven = None if lengths is None else read(lengths, x.shape[0], x.shape[1], x.device)
    if uneven is not None:
        x, states = uneven.pack(x), tuple(uneven.sort(state) for state in states)
    return ArrangedBatch(x, states, uneven, None, is_batched, layer.batch_first)


def _cut(layer: Arrangeable, x: Tensor, lengths: Lengths, reset: Tensor, is_batched: bool) -> _resets.Pieces:
    """The pieces of a padded batch with resets, x of shape (time, batch, input)."""
    time, batch = x.shape[:2]
    given = reset.unsqueeze(1) if isinstance(reset, Tensor) and reset.dim() == 1 and not is_batched else reset
    places = _resets.check(type(layer).__name__, given, (time, batch), is_batched and layer.batch_first)
    counts = None if lengths is None else _ragged.check_lengths(lengths, time, batch)
    return _resets.pieces(places, counts, layer.num_directions, x.device)


def arrange_step(layer: Arrangeable, x: Tensor, state: Any) -> ArrangedBatch:
    """As `arrange()`, for the input of a single step, shape (batch, input) or (input,)."""
    name = type(layer).__name__
    if isinstance(x, Tensor) and x.dim() not in (1, 2):
        raise UsageError(
            f"{name}: the input of a step must have shape (batch, input) or (input,), got {tuple(x.shape)}"
        )
    is_batched = not isinstance(x, Tensor) or x.dim() == 2
    sequence = x.unsqueeze(0) if isinstance(x, Tensor) else x
    weight = layer.first_weight
    _checks.check_input(name, sequence, layer.input_size, weight, is_packed=False)
    sequence = sequence if is_batched else sequence.unsqueeze(1)
    states = _states(layer, state, sequence, sequence.shape[1], is_batched)
    return ArrangedBatch(sequence, states, None, None, is_batched, False)


def without_autocast(device_type: str) -> AbstractContextManager[Any]:
    """No autocast inside, where there is one outside."""
    return torch.autocast(device_type, enabled=False) if torch.is_autocast_enabled(device_type) else nullcontext()


def _states(layer: Arrangeable, hx: Any, x: Tensor, batch: int, is_batched: bool) -> tuple[Tensor, ...]:
    """The initial states with their batch dimension: the caller's after checking, or zeros."""
    names = layer.spec.states
    depth = layer.num_layers * layer.num_directions
    sizes = [layer.output_size if name == "h" else layer.hidden_size for name in names]
    if hx is None:
        return tuple(x.new_zeros(depth, batch, size) for size in sizes)
    states = (hx,) if isinstance(hx, Tensor) else tuple(hx)
    shapes = [(depth, batch, size) if is_batched else (depth, size) for size in sizes]
    _checks.check_states(type(layer).__name__, states, names, shapes, x)
    return states if is_batched else tuple(state.unsqueeze(1) for state in states)
