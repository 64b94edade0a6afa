r"""What may act around any cell at every step of a scan, written for the reference; csrc/around*.h do the same.

- Recurrent dropout: one mask for all steps on the $h_{t-1}$ that the recurrent product sees. Source: Y. Gal and Z.
  Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks", NIPS 2016, equation 7.
- Zoneout: a unit keeps its previous state with some probability; in evaluation it takes the mean of both. Source: D.
  Krueger et al., "Zoneout: regularizing RNNs by randomly preserving hidden activations", ICLR 2017, section 3.2.
- Layer norm: $W x$ and $U h$ are each normalised over all their gates, and a state within the output's tanh over the
  units. Source: J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", 2016, equations 20-22.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import layer_norm, linear

from gatework.cells import CellSpec, _derive
from gatework.cells._derive import Derivation, topological
from gatework.cells._symbol import FUNCTIONS, Symbol
from gatework.scan import counter_rng


@dataclass(frozen=True)
class Norms:
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
        zoneout: For each state the share of units that keep their previous value.
        clip: How far from 0 the carried cell state c may be, or None.
        norms: The weights of the layer norm, or None without it.
        has_product: Whether the normalised input product is given in place of x.
    """

    training: bool = False
    seed: int | Tensor = 0
    place: int = 0
    recurrent_dropout: float = 0.0
    zoneout: Mapping[str, float] = field(default_factory=dict)
    clip: float | None = None
    norms: Norms | None = None
    has_product: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether nothing acts around the cell."""
        is_dropping = self.training and self.recurrent_dropout > 0
        return self.norms is None and self.clip is None and not is_dropping and not any(self.zoneout.values())

    def input_product(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """W x + b, with W x normalised."""
        if self.has_product:
            return x
        if self.norms is None:
            return linear(x, weight, bias)
        return layer_norm(linear(x, weight), weight.shape[:1], self.norms.norm_ih, bias)

    def recurrent_product(self, h: Tensor, weight: Tensor, bias: Tensor | None, dropped: Tensor | None) -> Tensor:
        """U h + b', with h dropped and U h normalised."""
        if dropped is not None:
            h = h * dropped[: len(h)]
        if self.norms is None or self.norms.norm_hh is None:
            return linear(h, weight, bias)
        return layer_norm(linear(h, weight), weight.shape[:1], self.norms.norm_hh, bias)

    def dropped(self, h: Tensor) -> Tensor | None:
        """The mask of the recurrent dropout for a whole scan, scaled, or None."""
        if not self.training or not self.recurrent_dropout:
            return None
        share = 1 - self.recurrent_dropout
        kept = counter_rng.is_kept(int(self.seed), self.place, 0, shape=tuple(h.shape), share=share, device=h.device)
        return kept.to(h.dtype) / share

    def step(self, spec: CellSpec, arguments: Sequence[Tensor]) -> dict[str, Tensor]:
        """The cell's equations, with the states inside the output's tanh normalised."""
        norms = self.norms
        if norms is None or norms.norm_state is None or norms.norm_state_bias is None:
            return dict(spec.step(*arguments))
        return _normalised_step(spec, arguments, norms.norm_state, norms.norm_state_bias)

    def after(self, spec: CellSpec, time: int, before: Sequence[Tensor], values: dict[str, Tensor]) -> None:
        """Clips the cell state and lets states keep their previous values: changes `values`."""
        if self.clip is not None:
            values["c"] = values["c"].clamp(-self.clip, self.clip)
        for number, (state, previous) in enumerate(zip(spec.states, before, strict=True)):
            share = self.zoneout.get(state, 0.0)
            if not share:
                continue
            new = values[state]
            if self.training:
                place = (self.place, number + 1, time)
                kept = counter_rng.is_kept(
                    int(self.seed), *place, shape=tuple(new.shape), share=share, device=new.device
                )
                values[state] = torch.where(kept, previous, new)
            else:
                values[state] = share * previous + (1 - share) * new


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
                inner = [layer_norm(inner[0], inner[0].shape[-1:], gain[k], bias[k])]
            values[symbol] = _OPERATIONS[symbol.operation](*inner)
    return {name: values[symbol] for name, symbol in derivation.named.items()}


_OPERATIONS: dict[str, Callable[..., Tensor]] = {
    **{name: function for function, name in FUNCTIONS.items()},
    "gt": torch.gt,
    "ge": torch.ge,
    "eq": torch.eq,
}
PLAIN = StepOptions()
