"""The recipe: what is learnt from what, by which model, trained how; TOML is only its serialisation.

Every field has a default, so a recipe file holds what differs. A run folder's `recipe.toml` holds every field.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gatework.errors import UsageError
from gatework.options import (
    TASKS,
    DataOptions,
    ModelOptions,
    Option,
    OptionSection,
    TaskOptions,
    TrainingOptions,
    find_option,
    options_of,
    owners,
)

S = TypeVar("S", bound=OptionSection)


@dataclass(frozen=True)
class Recipe:
    """A task, its data, a model, its training settings, and the further sections of its task.

    Attributes:
        task: The name of the task.
        data: What is learnt from.
        model: The network.
        training: How it is trained.
        further: The sections that only some tasks have; those of the task that are left out have their defaults.
        search: The values that a search tries, by the names of options; no part of what a run keeps.
    """

    task: str = "classify"
    data: DataOptions = field(default_factory=DataOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    training: TrainingOptions = field(default_factory=TrainingOptions)
    further: tuple[OptionSection, ...] = ()
    search: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kinds = TASKS[self.task].sections if self.task in TASKS else ()
        given = {type(section): section for section in self.further}
        object.__setattr__(self, "further", tuple(given.get(kind) or kind() for kind in kinds))

    def section(self, kind: type[S]) -> S:
        """The section of a kind; its defaults where the task has none such."""
        sections = (self.data, self.model, self.training, *self.further)
        return next((section for section in sections if isinstance(section, kind)), None) or kind()

    def changed(self, **changes: Any) -> Recipe:
        """The recipe with some fields changed.

        Args:
            changes: The fields, by their names where those are unique, as `changed(hidden=64, seed=1)`, or qualified by
                their section, as `changed(**{"model.hidden": 64})`. With another `task`, its sections replace those
                of the former one.

        Raises:
            UsageError: There is no such task or field, or a value is out of its range.
        """
        task = TASKS.find(changes.pop("task", self.task))
        recipe = dataclasses.replace(self, task=task.name)
        values: dict[str, dict[str, Any]] = {}
        for name, value in changes.items():
            option = _option(task, name)
            values.setdefault(option.section, {})[option.name] = option.converted(value)
        changed = assembled(recipe, values)
        problems = problems_of(changed)
        if problems:
            raise UsageError("; ".join(problems))
        return changed

    def to_dict(self) -> dict[str, Any]:
        """Every field, by section, without those that are None (TOML has no null), and without what a search tries."""
        sections = (self.data, self.model, self.training, *self.further)
        return {"task": self.task} | {
            section.section: {o.name: value for o, value in _values(section) if value is not None}
            for section in sections
        }


def _option(task: TaskOptions, name: str) -> Option:
    try:
        return find_option(task.options, name, f'a recipe of the task "{task.name}"')
    except UsageError:
        others = [other for other in owners(name) if other != task.name]
        if others and not any(name in (o.name, o.qualified) for o in task.options):
            flag = name.rpartition(".")[2].replace("_", "-")
            does = "does" if len(others) == 1 else "do"
            raise UsageError(f"the task {task.name} takes no --{flag}; {', '.join(others)} {does}") from None
        raise


def _values(section: OptionSection) -> list[tuple[Option, Any]]:
    return [(o, getattr(section, o.name)) for o in options_of(type(section))]


def assembled(recipe: Recipe, values: Mapping[str, Mapping[str, Any]]) -> Recipe:
    """A recipe with new values, by section and name."""

    def replaced(section: Any) -> Any:
        return dataclasses.replace(section, **values.get(section.section, {}))

    return dataclasses.replace(
        recipe,
        data=replaced(recipe.data),
        model=replaced(recipe.model),
        training=replaced(recipe.training),
        further=tuple(map(replaced, recipe.further)),
    )


def problems_of(recipe: Recipe) -> list[str]:
    """Every value that has the wrong type or is out of its range, a sentence each."""
    sections = (recipe.data, recipe.model, recipe.training, *recipe.further)
    checked = [o.problem(value) for section in sections for o, value in _values(section)]
    return [problem for problem in checked if problem]
