"""Tasks: what is learnt from a dataset. A task is one folder here and one line in `_BUILT_IN`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from gatework.errors import UsageError, nearest
from gatework.tasks._metric import METRICS, Metric, get_metric, metric_title, register_metrics
from gatework.tasks._section import Answered, AnsweredEntry, Section, section_file
from gatework.tasks._task import Baseline, Evaluation, Loss, Scores, Task, Trained

__all__ = [
    "METRICS",
    "REGISTRY",
    "Answered",
    "AnsweredEntry",
    "Baseline",
    "Evaluation",
    "Loss",
    "Metric",
    "Scores",
    "Section",
    "Task",
    "Trained",
    "get",
    "get_metric",
    "metric_title",
    "register",
    "register_metrics",
    "section_file",
]

_BUILT_IN = {
    "classify": "gatework.tasks.classify.task:ClassifyTask",
    "regress": "gatework.tasks.regress.task:RegressTask",
    "forecast": "gatework.tasks.forecast.task:ForecastTask",
    "detect": "gatework.tasks.detect.task:DetectTask",
}


class _Registry(Mapping[str, type[Task]]):
    """Every task by its name; the module of a task is imported when it is first asked for."""

    def __init__(self, homes: Mapping[str, str]) -> None:
        self._homes: dict[str, str | type[Task]] = dict(homes)

    def __getitem__(self, name: str) -> type[Task]:
        home = self._homes[name]
        if isinstance(home, str):
            module, _, attribute = home.partition(":")
            home = self._homes[name] = getattr(import_module(module), attribute)
        return home

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)

    def add(self, task: type[Task]) -> None:
        """Makes a task known."""
        self._homes[task.name] = task


REGISTRY = _Registry(_BUILT_IN)


def register(task: type[Task]) -> type[Task]:
    """Makes a task of one's own known by its name; a class decorator.

    Raises:
        UsageError: There is a built-in task of that name.
    """
    if task.name in _BUILT_IN:
        raise UsageError(f'there is a built-in task "{task.name}"; give yours another name')
    REGISTRY.add(task)
    return task


def get(name: str) -> type[Task]:
    """The registered task of that name.

    Raises:
        UsageError: There is no such task.
    """
    if name not in REGISTRY:
        raise UsageError(f'there is no task "{name}": {nearest(name, REGISTRY)}')
    return REGISTRY[name]
