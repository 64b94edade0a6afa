"""The sections of a report that its task gives, by the task's name alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from gatework import tasks
from gatework.errors import UsageError
from gatework.reports.folders import Entry
from gatework.tasks import Task, metric_title
from gatework.tasks._section import Answered, AnsweredEntry, ReportSection


@dataclass(frozen=True)
class TaskSections:
    """What a task has to show.

    Attributes:
        sections: In the order of the page.
        missing: Why there are none, in a sentence; empty where there may be some.
    """

    sections: tuple[ReportSection, ...] = ()
    missing: str = ""

    @property
    def headline(self) -> str:
        """What a run's report says first; empty where no section says anything."""
        return next((section.headline for section in self.sections if section.headline), "")


def known_task(name: str) -> type[Task] | None:
    """The registered task of that name, if there is one."""
    try:
        return tasks.get(name)
    except UsageError:
        return None


def task_sections(
    name: str, entries: Sequence[Entry], metric: str, test: pl.DataFrame, state: Mapping[str, Any]
) -> TaskSections:
    """The sections of a task.

    Args:
        name: The task's name.
        entries: Networks and baselines, best first; those that keep no answers are left out.
        metric: The metric that decides, which picks each network's typical seed.
        test: The test part.
        state: The fitted task, as a run keeps it.

    Raises:
        RunError: Answers, test part and task do not fit each other.
    """
    task = known_task(name)
    if task is None:
        return TaskSections(
            missing=f'What the models say is not shown: no task "{name}" is registered here. Import or install the '
            "package that registers it, and write the report again."
        )
    answered = tuple(_answered(entry, metric) for entry in entries if entry.answers)
    return TaskSections(tuple(task.sections(Answered(answered, test, state, metric_title(metric)))))


def recipe_in_use(name: str, recipe: Mapping[str, Any], state: Mapping[str, Any]) -> Mapping[str, Any]:
    """A recipe for a reader: with what was decided, and without what had no effect."""
    task = known_task(name)
    return task.recipe_in_use(recipe, state) if task else recipe


def _answered(entry: Entry, metric: str) -> AnsweredEntry:
    typical = min(entry.typical(metric), len(entry.answers) - 1)
    tables = entry.runs[typical].tables if entry.runs else {}
    epochs = entry.runs[typical].epochs if entry.runs else ()
    return AnsweredEntry(entry.name, not entry.is_baseline, entry.answers, typical, tables, epochs)
