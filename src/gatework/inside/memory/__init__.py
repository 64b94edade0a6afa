"""Memory, measured: the longest span over which each cell learns to remember."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.inside.memory.compare import compare_memory
    from gatework.inside.memory.experiment import DEFAULT, QUICK, MemoryPlan

__all__ = ["DEFAULT", "QUICK", "MemoryPlan", "compare_memory"]

__getattr__, __dir__ = lazy(
    __name__, {"compare": ("compare_memory",), "experiment": ("DEFAULT", "QUICK", "MemoryPlan")}
)
