"""Cells by name: built in, of a person's own file, or kept by a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatework.cells import custom, stored
from gatework.cells._registry import REGISTRY
from gatework.cells._spec import CellSpec
from gatework.cells.custom import CustomCell
from gatework.errors import KindError, UsageError, nearest


def get(name: str | CellSpec) -> CellSpec:
    """The registered cell of that name, or the one that `FILE.py:NAME` names; a cell is itself.

    Raises:
        UsageError: There is no such cell.
        KindError: It is neither a name nor a cell.
    """
    if isinstance(name, CellSpec):
        return name
    if not isinstance(name, str):
        raise KindError(f"a cell is named by a text or given as what @gatework.cell made, got {type(name).__name__}")
    if ":" in name:
        return custom.load(name)
    if name not in REGISTRY:
        raise UsageError(f'there is no cell "{name}": {nearest(name, REGISTRY)}')
    return REGISTRY[name]


def resolved(name: str | CellSpec) -> str:
    """The name of a cell as it is kept in a run: a file's path is made absolute.

    Raises:
        UsageError: There is no such cell.
    """
    cell = get(name)
    return cell.name if isinstance(name, CellSpec) else custom.absolute(name)


def kept(name: str) -> dict[str, Any] | None:
    """What a run keeps of a cell, so that it needs none of its Python: None of a built-in one.

    Args:
        name: A registered cell, or a person's own as `FILE.py:NAME`.
    """
    spec = get(name)
    return stored.to_data(spec) if isinstance(spec, CustomCell) else None


def adopt(data: Mapping[str, Any]) -> str:
    """Makes a cell that a run has kept known, and returns the name by which `get()` finds it.

    That is the cell's own name, unless another cell has it here.

    Raises:
        RunError: The data are not those of a cell.
    """
    spec = stored.rebuilt(data)
    sign = stored.digest(stored.to_data(spec))
    for name in (spec.name, f"{spec.name}_{sign[:8]}"):
        known = REGISTRY.get(name)
        if known is None:
            REGISTRY[name] = spec if name == spec.name else stored.rebuilt({**data, "name": name})
            return name
        if isinstance(known, CustomCell) and stored.digest(stored.to_data(known)) == sign:
            return name
    return name
