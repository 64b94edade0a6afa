"""From a recipe to a run folder."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gatework.training.fitting import resume, train
    from gatework.training.predictor import Predictor
    from gatework.training.progress import Progress
    from gatework.training.run import Run

__all__ = ["Predictor", "Progress", "Run", "resume", "train"]

_HOME = {"Run": "run", "Predictor": "predictor", "Progress": "progress", "resume": "fitting", "train": "fitting"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
