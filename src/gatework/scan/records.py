"""What crosses to the native side: sizes and addresses, by the names that csrc/records.h gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from gatework import _native

if TYPE_CHECKING:
    from torch import Tensor


class RowRecord(NamedTuple):
    """The rows of a sequence batch; the addresses are 0 where it is not packed."""

    steps: int
    batch: int
    batch_sizes: int
    offsets: int


class WeightRecord(NamedTuple):
    """The sizes of one scan and where its weights are, 0 where there is none."""

    input: int
    hidden: int
    output: int
    weight_ih: int
    weight_hh: int
    bias_ih: int
    bias_hh: int
    weight_hr: int
    weight_unit: int


class OptionRecord(NamedTuple):
    """What acts around the cell; `after` and `seeds` are by state option, then state; from `mask` on are addresses."""

    after: Sequence[float]
    is_random: bool
    seeds: Sequence[int]
    is_normalised: bool
    mask: int
    input_gain: int
    gain: int
    bias: int
    state_gain: int
    state_bias: int
    normalised_product: int
    normalised_state: int
    scale: int


class ForwardRecord(NamedTuple):
    """One scan of a forward pass: which layer and direction of the states it is, then addresses."""

    place: int
    reverse: bool
    weights: WeightRecord
    x: int
    output: int
    saved: int
    trace: Sequence[int]


class GradientRecord(NamedTuple):
    """Where the gradients of one scan shall be, 0 where one is not wanted; that of weight_hr is left to the caller."""

    x: int
    weight_ih: int
    weight_hh: int
    bias_ih: int
    bias_hh: int
    weight_hr: int
    weight_unit: int


class NormGradientRecord(NamedTuple):
    """The same of the layer norm's weights."""

    gain: int
    bias: int
    state_gain: int
    state_bias: int


class BackwardRecord(NamedTuple):
    """The derivative of one scan."""

    place: int
    reverse: bool
    weights: WeightRecord
    x: int
    d_output: int
    output: int
    saved: int
    d_projected: int
    gradients: GradientRecord


RECORDS = (RowRecord, WeightRecord, OptionRecord, ForwardRecord, GradientRecord, NormGradientRecord, BackwardRecord)


_PADDING = [(0,) * (_native.MAX_STATES - count) for count in range(_native.MAX_STATES + 1)]


def address(tensor: Tensor | None) -> int:
    """Where a tensor is; 0 where there is none."""
    return 0 if tensor is None else tensor.data_ptr()


def state_addresses(tensors: Sequence[Tensor | None]) -> tuple[int, ...]:
    """Where the tensors of the states are, padded to what the native side takes."""
    return (*[0 if t is None else t.data_ptr() for t in tensors], *_PADDING[len(tensors)])
