"""Tasks: what is learnt from a dataset."""

from __future__ import annotations

from gatework.errors import UsageError, nearest
from gatework.tasks._base import Baseline, Measured, Task
from gatework.tasks.classify import Classification
from gatework.tasks.detect import Detection
from gatework.tasks.forecast import Forecasting
from gatework.tasks.regress import Regression

__all__ = ["REGISTRY", "Baseline", "Measured", "Task", "get"]

REGISTRY: dict[str, type[Task]] = {task.name: task for task in (Classification, Regression, Forecasting, Detection)}


def get(name: str) -> type[Task]:
    """The registered task of that name.

    Raises:
        UsageError: There is no such task.
    """
    if name not in REGISTRY:
        raise UsageError(f'there is no task "{name}": {nearest(name, REGISTRY)}')
    return REGISTRY[name]
