"""What acts around the cell in one scan, as the native side takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import Tensor

from gatework import _native
from gatework.cells import CellSpec
from gatework.cells.options import STATE_OPTIONS, StateOption
from gatework.scan import counter_rng
from gatework.scan.options import StepOptions
from gatework.scan.records import OptionRecord, address


class NormSlots(NamedTuple):
    """What the recurrent product and the normalised states have of the layer norm: a weight each, or its gradient.

    Attributes:
        gain: The gain of the recurrent product.
        bias: The bias behind it, which is `bias_hh` of the scan's weights.
        state_gain: The gains of the normalised states.
        state_bias: Their biases.
    """

    gain: Tensor | None = None
    bias: Tensor | None = None
    state_gain: Tensor | None = None
    state_bias: Tensor | None = None


@dataclass(slots=True)
class NativeOptions:
    """What acts around the cell in one scan, as the native side takes it; tensors are contiguous.

    Attributes:
        after: By state option, then state, the option's number.
        seeds: Likewise the seeds of the masks that are drawn; None where all units take the number itself.
        mask: The factor on the h that the recurrent product sees, (batch, output), or None.
        input_gain: The gain of the input product, for a single step under layer norm.
        norms: The gain and the bias of the recurrent product, those of the normalised states; None without layer norm.
        saved: The normalised recurrent product, the normalised states and the scales, for the backward pass.
        gradients: For each of `norms` its gradient.
    """

    after: Sequence[Sequence[float]]
    seeds: Sequence[Sequence[int]] | None
    mask: Tensor | None
    input_gain: Tensor | None
    norms: NormSlots | None
    saved: Sequence[Tensor | None] = (None,) * 3
    gradients: NormSlots = field(default_factory=NormSlots)

    @property
    def gains(self) -> tuple[Tensor | None, ...]:
        """The layer norm's own weights, in the order of `Norms`."""
        norms = self.norms or NormSlots()
        return self.input_gain, norms.gain, norms.state_gain, norms.state_bias

    def native(self) -> _native.Options:
        """The same as an object of the native side; it holds as long as the tensors do."""
        return _native.options(self.record())

    def record(self) -> OptionRecord:
        """The same with addresses; it holds as long as the tensors do."""
        seeds = self.seeds or [[0] * len(numbers) for numbers in self.after]
        neutral = [option.neutral for option in STATE_OPTIONS]
        return OptionRecord(
            _by_native_state(self.after, neutral), self.seeds is not None, _by_native_state(seeds, [0] * len(seeds)),
            self.norms is not None, address(self.mask), address(self.input_gain),
            *map(address, self.norms or NormSlots()), *map(address, self.saved),
        )  # fmt: skip


def _by_native_state(rows: Sequence[Sequence[Any]], missing: Sequence[Any]) -> list[Any]:
    """A row for each option, each filled up to the number of states that the native side knows."""
    filled = [[*row, *[fill] * (_native.MAX_STATES - len(row))] for row, fill in zip(rows, missing, strict=True)]
    return [value for row in filled for value in row]


def native_options(spec: CellSpec, options: StepOptions, bias_hh: Tensor | None, mask: Tensor | None) -> NativeOptions:
    """What acts around the cell, as the kernels take it; `mask` is that of the recurrent dropout."""
    norms, seeds = options.norms, None
    if options.training:
        seeds = [[_seed(spec, options, option, state) for state in spec.states] for option in STATE_OPTIONS]
    return NativeOptions(
        [[options.number(option, state) for state in spec.states] for option in STATE_OPTIONS],
        seeds,
        None if mask is None else mask.contiguous(),
        None if norms is None else norms.norm_ih,
        None if norms is None else NormSlots(norms.norm_hh, bias_hh, norms.norm_state, norms.norm_state_bias),
    )


def _seed(spec: CellSpec, options: StepOptions, option: StateOption, state: str) -> int:
    """The seed of the masks that an option draws for a state, at all steps."""
    if not option.is_drawn:
        return 0
    return counter_rng.chained(int(options.seed), *options.mask_place(option, spec, state))
