"""The cells: one file each with its equations, and the registry that everything else reads."""

from __future__ import annotations

from gatework.cells import coupled, gru, indrnn, lstm, minimal, peephole, rnn, slstm
from gatework.cells._spec import CellSpec
from gatework.errors import UsageError, nearest

__all__ = ["REGISTRY", "CellSpec", "get"]

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
REGISTRY: dict[str, CellSpec] = {spec.name: spec for spec in _SPECS}


def get(name: str) -> CellSpec:
    """The registered cell of that name.

    Raises:
        UsageError: There is no such cell.
    """
    if name not in REGISTRY:
        raise UsageError(f'there is no cell "{name}": {nearest(name, REGISTRY)}')
    return REGISTRY[name]
