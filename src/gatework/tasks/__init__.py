"""Tasks: what is learnt from a dataset."""

from __future__ import annotations

from gatework.errors import UsageError, nearest
from gatework.tasks._task import Baseline, Measured, Task
from gatework.tasks.classify.task import ClassifyTask
from gatework.tasks.detect.task import DetectTask
from gatework.tasks.forecast.task import ForecastTask
from gatework.tasks.regress.task import RegressTask

__all__ = ["REGISTRY", "Baseline", "Measured", "Task", "get"]

REGISTRY: dict[str, type[Task]] = {task.name: task for task in (ClassifyTask, RegressTask, ForecastTask, DetectTask)}


def get(name: str) -> type[Task]:
    """The registered task of that name.

    Raises:
        UsageError: There is no such task.
    """
    if name not in REGISTRY:
        raise UsageError(f'there is no task "{name}": {nearest(name, REGISTRY)}')
    return REGISTRY[name]
