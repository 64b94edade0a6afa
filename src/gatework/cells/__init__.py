"""The cells: one file each with its equations, and the registry that everything else reads."""

from __future__ import annotations

from gatework.cells import coupled, custom, gru, indrnn, lstm, minimal, peephole, rnn, slstm
from gatework.cells._spec import CellSpec
from gatework.cells.custom import Cell, cell
from gatework.errors import UsageError, nearest

__all__ = ["BUILT_IN", "REGISTRY", "Cell", "CellSpec", "cell", "get", "resolved"]

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
"""Every cell by its name: the built-in ones, and a person's own once they are made."""


def get(name: str) -> CellSpec:
    """The registered cell of that name, or the one that `FILE.py:NAME` names.

    Raises:
        UsageError: There is no such cell.
    """
    if ":" in name:
        return custom.load(name)
    if name not in REGISTRY:
        raise UsageError(f'there is no cell "{name}": {nearest(name, REGISTRY)}')
    return REGISTRY[name]


def resolved(name: str) -> str:
    """The name of a cell as it is kept in a run: a file's path is made absolute.

    Raises:
        UsageError: There is no such cell.
    """
    get(name)
    return custom.absolute(name)
