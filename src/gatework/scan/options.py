"""What acts around any cell at every step of a scan, as `gatework.cells.options` defines it: on tensors, with masks.

The kernels' csrc/options*.h do the same with what is generated from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import layer_norm, linear

from gatework.cells import CellSpec, _derive
from gatework.cells._derive import Derivation, topological
from gatework.cells._symbol import FUNCTIONS, Symbol
from gatework.cells.options import EPSILON, STATE_OPTIONS, StateOption, dropout
from gatework.scan import counter_rng


class Norms(NamedTuple):
    """The gains of the layer norm, and the offsets of the normalised states; biases are those of the products.

    Attributes:
        norm_ih: The gain of W x, shape (input gates x hidden,); None where the product is given normalised.
        norm_hh: That of U h, shape (recurrent gates x hidden,); None for a cell without a recurrent product.
        norm_state: That of each normalised state, shape (states, hidden); None where there is none.
        norm_state_bias: What is added to each, shape (states, hidden); None where there is none.
    """

    norm_ih: Tensor | None = None
    norm_hh: Tensor | None = None
    norm_state: Tensor | None = None
    norm_state_bias: Tensor | None = None


@dataclass(frozen=True)
class StepOptions:
    """What acts around the cell in one scan.

    Attributes:
        training: Whether masks are drawn.
        seed: The seed of the forward pass; a tensor only on its way into an operator.
        place: Which layer and direction this scan is.
        recurrent_dropout: The share of units of h that the recurrent product does not see.
        after: What acts on states after the step: by option of `STATE_OPTIONS`, then by state, the option's number.
        norms: The weights of the layer norm, or None without it.
        has_product: Whether the normalised input product is given in place of x.
    """

    training: bool = False
    seed: int | Tensor = 0
    place: int = 0
    recurrent_dropout: float = 0.0
    after: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    norms: Norms | None = None
    has_product: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether nothing acts around the cell."""
        is_dropping = self.training and self.recurrent_dropout > 0
        return self.norms is None and not is_dropping and not any(self.after.values())

    def number(self, option: StateOption, state: str) -> float:
        """The number of an option for a state; the neutral one where it does not act."""
        return self.after.get(option.name, {}).get(state, option.neutral)

    def mask_place(self, option: StateOption, spec: CellSpec, state: str) -> tuple[int, int]:
        """What tells the masks that an option draws for a state in this scan from others of the same seed."""
        drawn = [o for o in STATE_OPTIONS if o.is_drawn].index(option)
        return self.place, 1 + drawn * len(spec.states) + spec.states.index(state)

    def input_product(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """W x + b, with W x normalised, of shape (..., G hidden).

        Args:
            x: The input, shape (..., input).
            weight: W, shape (G hidden, input).
            bias: b, shape (G hidden,), or None.
        """
        if self.has_product:
            return x
        if self.norms is None:
            return linear(x, weight, bias)
        return layer_norm(linear(x, weight), weight.shape[:1], self.norms.norm_ih, bias, EPSILON)

    def recurrent_product(self, h: Tensor, weight: Tensor, bias: Tensor | None, dropped: Tensor | None) -> Tensor:
        """U h + b', with h dropped and U h normalised, of shape (running, R hidden).

        Args:
            h: That of the sequences that run, shape (running, output).
            weight: U, shape (R hidden, output).
            bias: b', shape (R hidden,), or None.
            dropped: The mask of the recurrent dropout, shape (batch, output), or None.
        """
        if dropped is not None:
            h = dropout(h, dropped[: len(h)])
        if self.norms is None or self.norms.norm_hh is None:
            return linear(h, weight, bias)
        return layer_norm(linear(h, weight), weight.shape[:1], self.norms.norm_hh, bias, EPSILON)

    def dropped(self, h: Tensor) -> Tensor | None:
        """The mask of the recurrent dropout for a whole scan, scaled, of the shape of h, (batch, output); or None."""
        if not self.training or not self.recurrent_dropout:
            return None
        share = 1 - self.recurrent_dropout
        kept = counter_rng.is_kept(int(self.seed), self.place, 0, shape=tuple(h.shape), share=share, device=h.device)
        return kept.to(h.dtype) / share

    def step(self, spec: CellSpec, arguments: Sequence[Tensor]) -> dict[str, Tensor]:
        """The cell's equations, with the states inside the output's tanh normalised.

        Args:
            spec: The cell.
            arguments: Those of its `step()`, each of shape (running, hidden) or (hidden,).

        Returns:
            Every named gate and state, shape (running, hidden).
        """
        norms = self.norms
        if norms is None or norms.norm_state is None or norms.norm_state_bias is None:
            return dict(spec.step(*arguments))
        return _normalised_step(spec, arguments, norms.norm_state, norms.norm_state_bias)

    def carried(self, spec: CellSpec, time: int, before: Sequence[Tensor], values: dict[str, Tensor]) -> None:
        """Lets the options act on the new states, from those before the step: changes `values`.

        Args:
            spec: The cell.
            time: The step, in the order of the scan.
            before: The states before it, `h` of shape (running, output), the others (running, hidden).
            values: The named values of the step by `step()`, of those shapes.
        """
        for state, previous in zip(spec.states, before, strict=True):
            for option in STATE_OPTIONS:
                number = self.number(option, state)
                if number == option.neutral:
                    continue
                share: float | Tensor = number
                if option.is_drawn and self.training:
                    place = (*self.mask_place(option, spec, state), time)
                    mask = counter_rng.is_kept(
                        int(self.seed), *place, shape=tuple(previous.shape), share=number, device=previous.device
                    )
                    share = mask.to(previous.dtype)
                values[state] = option.apply(previous, values[state], share)


@cache
def _derivation(spec: CellSpec) -> Derivation:
    return _derive.derive(spec)


@cache
def normalised_states(spec: CellSpec) -> tuple[str, ...]:
    """The states whose new value stands in a tanh of the step, as c of the LSTM does."""
    return _derive.normalised_states(spec, _derivation(spec).named)


def _normalised_step(spec: CellSpec, arguments: Sequence[Tensor], gain: Tensor, bias: Tensor) -> dict[str, Tensor]:
    """The graph of `step()`, evaluated with the norm before each tanh of a new state."""
    derivation = _derivation(spec)
    given = dict(zip(spec.arguments, arguments, strict=True))
    places = {derivation.named[s]: k for k, s in enumerate(normalised_states(spec))}
    like = arguments[0]
    values: dict[Symbol, Tensor] = {}
    for symbol in topological(derivation.named.values()):
        if symbol.operation == "input":
            values[symbol] = given[str(symbol.value)]
        elif symbol.operation == "constant":
            values[symbol] = like.new_tensor(symbol.value)
        else:
            inner = [values[a] for a in symbol.arguments]
            if symbol.operation == "tanh" and symbol.arguments[0] in places:
                k = places[symbol.arguments[0]]
                inner = [layer_norm(inner[0], inner[0].shape[-1:], gain[k], bias[k], EPSILON)]
            values[symbol] = _OPERATIONS[symbol.operation](*inner)
    return {name: values[symbol] for name, symbol in derivation.named.items()}


_OPERATIONS: dict[str, Callable[..., Tensor]] = {
    **{name: function for function, name in FUNCTIONS.items()},
    "gt": torch.gt,
    "ge": torch.ge,
    "eq": torch.eq,
}
PLAIN = StepOptions()
