"""The parameters of a stack of layers: torch's names and order, and torch's start."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from gatework.cells import CellSpec
from gatework.nn import _initialise, _torch
from gatework.scan.options import Norms, normalised_states
from gatework.scan.scan import ScanWeights


class LayerParameters(nn.Module):
    """Parameters of layers of one cell, in one or two directions; what they are for is in `RecurrentLayer`.

    Args:
        spec: The cell.
        input_size: Features of the input.
        hidden_size: Units of each layer.
        num_layers: Layers, each on the output of the one before.
        bias: Whether the two products have biases.
        bidirectional: Whether a second stack runs over the sequences from their ends.
        proj_size: The features that the output is projected to; 0 for no projection.
    """

    forget_bias: float | None
    orthogonal: bool

    def __init__(
        self,
        spec: CellSpec,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        *,
        bias: bool,
        bidirectional: bool,
        proj_size: int,
    ) -> None:
        super().__init__()
        self.spec = spec
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.bidirectional = bool(bidirectional)
        self.proj_size = proj_size
        self._weight_kinds: tuple[str, ...] = ()
        self._weight_names: list[tuple[str, ...]] = []
        self._norm_names: list[dict[str, str]] = []

    @property
    def num_directions(self) -> int:
        """2 when bidirectional, otherwise 1."""
        return 2 if self.bidirectional else 1

    @property
    def output_size(self) -> int:
        """The features of `h` in one direction: `proj_size`, or `hidden_size` without a projection."""
        return self.proj_size or self.hidden_size

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters of every layer and direction, in the shapes and the order in which torch.nn has them."""
        return [[self.weight(name) for name in names] for names in self._weight_names]

    @property
    def _all_weights(self) -> list[list[str]]:
        """Their names, as torch.nn has them."""
        return [list(names) for names in self._weight_names]

    def _create_parameters(self, device: torch.device | str | int | None, dtype: torch.dtype | None) -> None:
        inputs = len(self.spec.input_gates) * self.hidden_size
        gates = len(self.spec.recurrent_gates) * self.hidden_size
        units = len(self.spec.unit_weights)
        for place in range(self.num_layers * self.num_directions):
            layer, direction = divmod(place, self.num_directions)
            width = self.input_size if layer == 0 else self.output_size * self.num_directions
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (inputs, width)}
            if gates:
                shapes["weight_hh"] = (gates, self.output_size)
            if self.bias:
                shapes["bias_ih"] = (inputs,)
            if self.bias and gates:
                shapes["bias_hh"] = (gates,)
            if self.proj_size:
                shapes["weight_hr"] = (self.proj_size, self.hidden_size)
            if units:
                shapes["weight_unit"] = (units, self.hidden_size)
            suffix = f"_l{layer}" + ("_reverse" if direction else "")
            for name, shape in shapes.items():
                self.register_parameter(name + suffix, nn.Parameter(torch.empty(shape, device=device, dtype=dtype)))
            self._weight_kinds = tuple(shapes)
            self._weight_names.append(tuple(name + suffix for name in shapes))

    def _create_norms(self, device: torch.device | str | int | None, dtype: torch.dtype | None) -> None:
        inputs, gates = (len(gates) * self.hidden_size for gates in (self.spec.input_gates, self.spec.recurrent_gates))
        states = len(normalised_states(self.spec))
        shapes: dict[str, tuple[int, ...]] = {"norm_ih": (inputs,)}
        if gates:
            shapes["norm_hh"] = (gates,)
        if states:
            shapes |= dict.fromkeys(("norm_state", "norm_state_bias"), (states, self.hidden_size))
        for place in range(self.num_layers * self.num_directions):
            layer, direction = divmod(place, self.num_directions)
            suffix = f"_l{layer}" + ("_reverse" if direction else "")
            for name, shape in shapes.items():
                self.register_parameter(name + suffix, nn.Parameter(torch.empty(shape, device=device, dtype=dtype)))
            self._norm_names.append({name: name + suffix for name in shapes})

    def reset_parameters(self) -> None:
        """Start again: torch's uniform weights, then `forget_bias` and `orthogonal` where asked for."""
        _initialise.uniform(self.parameters(), self.hidden_size)
        for names in self._norm_names:
            for kind, name in names.items():
                nn.init.constant_(self.weight(name), 0.0 if kind == "norm_state_bias" else 1.0)
        for weights in (self.weights_at(place) for place in range(len(self._weight_names))):
            if weights.weight_unit is not None and self.spec.unit_range is not None:
                nn.init.uniform_(weights.weight_unit, *self.spec.unit_range)
            if self.forget_bias is not None and weights.bias_ih is not None:
                _initialise.forget_bias(self.spec, weights.bias_ih, weights.bias_hh, self.forget_bias)
            if self.orthogonal:
                _initialise.orthogonal(self.spec, weights.weight_hh)

    @torch.no_grad()
    def start_as_in_keras(self) -> None:
        """Start again as Keras' layers do, with `forget_bias` where asked for."""
        for weights in (self.weights_at(place) for place in range(len(self._weight_names))):
            biases = [bias for bias in (weights.bias_ih, weights.bias_hh) if bias is not None]
            _initialise.keras(self.spec, weights.weight_ih, weights.weight_hh, biases)
            if self.forget_bias is not None and weights.bias_ih is not None:
                _initialise.forget_bias(self.spec, weights.bias_ih, weights.bias_hh, self.forget_bias)

    def flatten_parameters(self) -> None:
        """Lay the weights out for cuDNN, where they are on a GPU; elsewhere there is nothing to do."""
        if self.spec.name in _torch.MODES:
            nn.RNNBase.flatten_parameters(cast(nn.RNNBase, self))

    def weight(self, name: str) -> Tensor:
        """The parameter of that name, in torch's shape; also where a parametrisation computes it."""
        parameter = self._parameters.get(name)
        return getattr(self, name) if parameter is None else parameter

    def weights_at(self, place: int) -> ScanWeights:
        """The weights of one layer and direction."""
        names = zip(self._weight_kinds, self._weight_names[place], strict=True)
        weights = {kind: self.weight(name) for kind, name in names}
        if "weight_hh" not in weights:
            weights["weight_hh"] = weights["weight_ih"].new_empty(0, self.output_size)
        return ScanWeights(**weights)

    def norms_at(self, place: int) -> Norms | None:
        """The weights of the layer norm of one layer and direction, if it has one."""
        if not self._norm_names:
            return None
        return Norms(**{kind: self.weight(name) for kind, name in self._norm_names[place].items()})

    @property
    def first_weight(self) -> Tensor:
        """A weight, whatever its shape, whose device and dtype are those of the computation."""
        return self.weight(self._weight_names[0][0])

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._weight_names for name in names]

    @property
    def _flat_weights(self) -> list[Tensor]:
        """Every weight in torch's order."""
        return [self.weight(name) for names in self._weight_names for name in names]

    def _apply(self, fn: Any, recurse: bool = True) -> LayerParameters:
        super()._apply(fn, recurse)
        self.flatten_parameters()
        return self
