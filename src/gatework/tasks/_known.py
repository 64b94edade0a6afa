"""Every task's class by its name: those of `gatework.options.TASKS`, imported when they are first asked for."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping

from gatework._registry import note_module
from gatework.options import TASKS, TaskOptions
from gatework.tasks._task import Task


class _Classes(Mapping[str, type[Task]]):
    """Every task's class by its name; its module is imported when it is first asked for."""

    def __getitem__(self, name: str) -> type[Task]:
        task: type[Task] = TASKS[name].load()
        return task

    def __iter__(self) -> Iterator[str]:
        return iter(TASKS)

    def __len__(self) -> int:
        return len(TASKS)


REGISTRY = _Classes()


def register(task: type[Task]) -> type[Task]:
    """Makes a task of one's own known by its name; a class decorator.

    Raises:
        UsageError: There is a built-in task of that name.
    """
    about = inspect.cleandoc(task.__doc__ or task.name).partition("\n")[0]
    options = task.options or TaskOptions(task.name, about, f"gatework train {task.name} FILE --out RUN")
    TASKS.register(task.name, dataclasses.replace(options, task=task))
    note_module(task.__module__)
    return task


def get(name: str) -> type[Task]:
    """The registered task of that name.

    Raises:
        UsageError: There is no such task.
    """
    TASKS.find(name)
    return REGISTRY[name]
