"""From a recipe to a run folder."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gatework.training.fitting import resume, train
    from gatework.training.run import Run
    from gatework.training.watch import Watcher

__all__ = ["Run", "Watcher", "resume", "train"]

_HOME = {"Run": "run", "Watcher": "watch", "resume": "fitting", "train": "fitting"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
