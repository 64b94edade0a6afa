"""Subclasses of torch.nn's recurrent layers: their methods stay, and the forward that they inherit is gatework's."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import new_class
from typing import Any

from torch import nn

from gatework.nn._layer import RecurrentLayer

_KEY = "_computed_by"
# What torch's forward asks its layer for: where a subclass has it otherwise, that forward computes something else.
_ASKED = (
    "check_forward_args", "check_input", "check_hidden_size", "get_expected_hidden_size", "get_expected_cell_size",
    "permute_hidden", "_weights_have_changed", "_update_flat_weights",
)  # fmt: skip


class Inherited(nn.RNNBase):
    """What stands between a subclass and torch's layer in the order of methods, so that `super().forward()` is here."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        """As torch's, by the layer of gatework that computes; by torch where the parameters have become others."""
        if list(self._parameters) != self._flat_weights_names:
            return super().forward(input, hx)
        layer: RecurrentLayer = vars(self)[_KEY]
        # A copy, or a replica on another device, has parameters of its own.
        vars(layer).update(_parameters=self._parameters, training=self.training, dropout=self.dropout)
        return layer.forward(input, hx)

    def __reduce_ex__(self, protocol: Any) -> tuple[Callable[..., Any], tuple[type], Any]:
        """How it is copied and stored: by the subclass, as the class that it has now is made here."""
        return _without_init, (type(self).__bases__[0],), self.__getstate__()

    __prepare_scriptable__ = RecurrentLayer.__prepare_scriptable__


class _InheritedRNN(Inherited, nn.RNN):
    pass


class _InheritedGRU(Inherited, nn.GRU):
    pass


class _InheritedLSTM(Inherited, nn.LSTM):
    pass


_BY_KIND: dict[type[nn.RNNBase], type[Inherited]] = {
    nn.RNN: _InheritedRNN,
    nn.GRU: _InheritedGRU,
    nn.LSTM: _InheritedLSTM,
}


def why_not_inherited(layer: nn.RNNBase) -> str | None:
    """What keeps a layer of a subclass from inheriting gatework's forward, or None."""
    name, kind = type(layer).__name__, _kind(type(layer))
    if isinstance(layer, Inherited):
        return f"kept {name}, which inherits gatework's forward already"
    if kind is None:
        return f"kept {name}, which is no torch.nn.RNN, GRU or LSTM"
    for method in _ASKED:
        if getattr(type(layer), method, None) is not getattr(kind, method, None):
            return f"kept {name}, whose {method} is not that of torch.nn.{kind.__name__}"
    return None


def inherit(layer: nn.RNNBase, computes: RecurrentLayer) -> None:
    """Lets a layer of a subclass inherit gatework's forward, in place.

    Args:
        layer: The layer, of which `why_not_inherited()` is None.
        computes: A layer of gatework's with its options, for nobody else.
    """
    theirs: type = type(layer)
    layer.__class__ = _between(theirs)
    vars(layer)[_KEY] = computes  # past the modules, as it has no parameters of its own


def disinherit(layer: Inherited) -> None:
    """Lets it inherit torch's forward again, in place."""
    del vars(layer)[_KEY]
    layer.__class__ = type(layer).__bases__[0]


@cache
def _between(theirs: type) -> type[nn.RNNBase]:
    """A subclass of the same name, with gatework's forward before torch's."""
    kind = _kind(theirs)
    names = {name: getattr(theirs, name) for name in ("__module__", "__qualname__", "__doc__")}
    bases = (theirs, *((_BY_KIND[kind],) if kind else ()))
    return new_class(theirs.__name__, bases, exec_body=lambda body: body.update(names))


def _kind(theirs: type) -> type[nn.RNNBase] | None:
    return next((kind for kind in _BY_KIND if issubclass(theirs, kind)), None)


def _without_init(theirs: type) -> nn.RNNBase:
    kind = _between(theirs)
    return kind.__new__(kind)
