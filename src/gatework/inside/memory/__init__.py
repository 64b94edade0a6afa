"""Memory, measured: the longest span over which each cell learns to remember."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gatework.inside.memory.compare import compare_memory
    from gatework.inside.memory.experiment import DEFAULT, QUICK, MemoryPlan

__all__ = ["DEFAULT", "QUICK", "MemoryPlan", "compare_memory"]

_HOMES = {"compare_memory": "compare", "DEFAULT": "experiment", "QUICK": "experiment", "MemoryPlan": "experiment"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
