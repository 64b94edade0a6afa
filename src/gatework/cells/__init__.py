"""The cells: one file each with its equations, and the registry that everything else reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.cells import custom, stored
    from gatework.cells._lookup import adopt, get, kept, resolved
    from gatework.cells._registry import BUILT_IN, REGISTRY
    from gatework.cells._spec import CellSpec
    from gatework.cells.custom import CustomCell

__all__ = ["BUILT_IN", "REGISTRY", "CellSpec", "CustomCell", "adopt", "custom", "get", "kept", "resolved", "stored"]

# Equations are written in torch: who only opens a run must not wait for it.
__getattr__, __dir__ = lazy(
    __name__,
    {
        "_lookup": ("adopt", "get", "kept", "resolved"),
        "_registry": ("BUILT_IN", "REGISTRY"),
        "_spec": ("CellSpec",),
        "custom": ("CustomCell",),
    },
    modules=("custom", "stored"),
)
