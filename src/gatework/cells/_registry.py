"""The cells by name: the built-in ones, and custom ones once they are made."""

from __future__ import annotations

from gatework.cells import coupled, gru, indrnn, lstm, minimal, peephole, rnn, slstm
from gatework.cells._spec import CellSpec

_SPECS = (
    rnn.SPEC,
    rnn.SPEC_RELU,
    gru.SPEC,
    lstm.SPEC,
    peephole.SPEC,
    coupled.SPEC,
    indrnn.SPEC,
    minimal.SPEC,
    slstm.SPEC,
)
BUILT_IN = tuple(spec.name for spec in _SPECS)
REGISTRY: dict[str, CellSpec] = {spec.name: spec for spec in _SPECS}
"""Every cell by its name: the built-in ones, and custom ones once they are made."""
