"""A stack of layers before it runs: its options, and its weights as the kernels have checked them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import dropout

from gatework.cells import CellSpec
from gatework.errors import UsageError
from gatework.nn import _checks
from gatework.nn._options import ScanOptions
from gatework.nn._parameters import LayerParameters
from gatework.scan import operators, options_native, stack_native
from gatework.scan.kernels import COMPUTED
from gatework.scan.options import StepOptions
from gatework.scan.scan import ScanWeights
from gatework.scan.weights import CheckedStack, check_stack


class _LastChecked:
    """The weights that a layer checked at its last call, for itself alone: a copy of the layer has to check its own."""

    stack: CheckedStack | None = None

    def __reduce__(self) -> tuple[type[_LastChecked], tuple[()]]:
        return _LastChecked, ()


class LayerStack(LayerParameters):
    """A stack of layers of one cell with its options; `RecurrentLayer` runs it."""

    def __init__(
        self,
        spec: CellSpec,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        forget_bias: float | None = None,
        orthogonal: bool = False,
        options: ScanOptions | None = None,
    ) -> None:
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        flags = {"bias": bias, "batch_first": batch_first}
        _checks.check_options(type(self).__name__, sizes, flags, dropout, proj_size)
        if forget_bias is not None and (not bias or spec.forget_gate is None):
            reason = (
                "needs bias=True" if spec.forget_gate else f'does nothing: the cell "{spec.name}" has no forget gate'
            )
            raise UsageError(f"{type(self).__name__}: forget_bias={forget_bias} {reason}")
        if proj_size and "h" in spec.arguments:
            raise UsageError(
                f'{type(self).__name__}: proj_size={proj_size} does not fit the cell "{spec.name}", whose units see '
                "their own last h; leave it out, or put a torch.nn.Linear after the layer"
            )
        super().__init__(
            spec, input_size, hidden_size, num_layers, bias=bias, bidirectional=bidirectional, proj_size=proj_size
        )
        self.options = options or ScanOptions()
        self.acts_at_steps = self.options.act_at_steps  # asked for at every step of a stream
        self._after = self.options.after(spec)
        self._last = _LastChecked()
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.forget_bias = forget_bias
        self.orthogonal = orthogonal
        self._create_parameters(device, dtype)
        if self.options.layer_norm:
            self._create_norms(device, dtype)
        self.reset_parameters()

    def _apply(self, fn: Any, recurse: bool = True) -> LayerStack:
        self._last.stack = None  # it would hold on to the memory of before
        super()._apply(fn, recurse)
        return self

    def checked_stack(self, dtype: torch.dtype) -> CheckedStack | None:
        """The checked weights of the whole stack for an input of `dtype`, where the kernels take them as they are.

        None where something comes between the layers, or where the weights become others at each call. With something
        around the cell they are for single steps, which draw no masks.
        """
        if COMPUTED.get(dtype) is not dtype:
            return None
        if self.training and (self.dropout or self.options.weight_drop):
            return None
        stack = self._last.stack
        if stack is None or not stack.holds(self._parameters.values()):
            stack = self._newly_checked(dtype)
            if stack is None:
                return None
            self._last.stack = stack
        return stack if stack.dtype is dtype else None

    def _newly_checked(self, dtype: torch.dtype) -> CheckedStack | None:
        norms = [name for names in self._norm_names for name in names.values()]
        tensors = [self._parameters.get(name) for name in (*self._flat_weights_names, *norms)]
        if not stack_native.is_plain(tensors):
            return None
        if any(t is None or t.dtype != dtype or not (t.is_cpu and t.is_contiguous()) or t.is_neg() for t in tensors):
            return None
        places = range(len(self._weight_names))
        weights, options = [self.weights_at(k) for k in places], [self.step_options(k, None) for k in places]
        if not operators.has_kernel(self.spec, weights[0].weight_ih, options[0]):
            return None
        if options[0].is_plain:
            return check_stack(self.spec, dtype, self.input_size, weights, self.num_directions)
        return options_native.check_steps(self.spec, dtype, self.input_size, weights, options)

    def step_options(self, place: int, seed: int | Tensor | None) -> StepOptions:
        """What acts around the cell in one scan.

        Args:
            place: The layer and direction: layer x directions + direction.
            seed: What the masks of a training step are drawn from, a number or a tensor of shape (); None if there are
                none.
        """
        dropout, norms = self.options.recurrent_dropout, self.norms_at(place)
        return StepOptions(seed is not None, 0 if seed is None else seed, place, dropout, self._after, norms)

    def dropped_weights(self, place: int) -> ScanWeights:
        """The weights of one layer and direction, in training with the recurrent matrix dropped."""
        weights = self.weights_at(place)
        if not (self.training and self.options.weight_drop):
            return weights
        return weights._replace(weight_hh=dropout(weights.weight_hh, self.options.weight_drop))
