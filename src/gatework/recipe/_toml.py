"""Recipes as TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from gatework.errors import UsageError, nearest
from gatework.options import SHARED, TASKS, Option, TaskOptions, dimension, options_of
from gatework.recipe._recipe import Recipe, assembled, problems_of

if TYPE_CHECKING:
    import os

SEARCH = "search"
"""The section of what a search tries: option = "16..256", or a list of values."""


def recipe_from_dict(values: Mapping[str, Any], where: str) -> Recipe:
    """Builds a recipe from nested values and reports every problem at once.

    Args:
        values: The sections and fields, as TOML gives them.
        where: The file, for messages.

    Raises:
        UsageError: A key is unknown or a value has the wrong type or range.
    """
    name = values.get("task", "classify")
    if not isinstance(name, str):
        raise UsageError(f"{where}: task is {name!r}, expected a text in quotes")
    try:
        task = TASKS.find(name)
    except UsageError as error:
        raise UsageError(f"{where}: {error}; where it is one of your own, name its file by --plugin") from None
    kinds = {kind.section: kind for kind in (*SHARED, *task.sections)}
    problems: list[str] = []
    known: dict[str, dict[str, Any]] = {}
    for key, content in values.items():
        if key in kinds and isinstance(content, Mapping):
            problems += [p for item in content if (p := _unknown(key, item, task.options))]
            options = {o.name: o for o in options_of(kinds[key])}
            known[key] = {k: options[k].converted(v) for k, v in content.items() if k in options}
        elif key in kinds:
            problems.append(f"[{key}] is {content!r}, expected a section")
        elif key == SEARCH:
            problems += _unsearchable(content, task)
        elif key != "task":
            problems.append(f'unknown key "{key}" of the task "{name}" ({nearest(key, ["task", *kinds])})')
    recipe = assembled(Recipe(name), known)
    problems += problems_of(recipe)
    if problems:
        raise UsageError(f"{where}: " + "; ".join(problems))
    return replace(recipe, search=dict(values.get(SEARCH, {})))


def _unsearchable(content: Any, task: TaskOptions) -> list[str]:
    """What is wrong with the values that a search shall try."""
    if not isinstance(content, Mapping):
        return [f"[{SEARCH}] is {content!r}, expected a section"]
    problems = []
    for name, tried in content.items():
        try:
            dimension(task.options, name, tried, f"the section [{SEARCH}]")
        except UsageError as error:
            problems.append(str(error))
    return problems


def _unknown(section: str, name: str, options: tuple[Option, ...]) -> str | None:
    """What is wrong with a key of a section: it is of another one, or of none."""
    if any((o.section, o.name) == (section, name) for o in options):
        return None
    others = [o.qualified for o in options if o.name == name]
    beside = [o.name for o in options if o.section == section]
    hint = f'did you mean "{others[0]}"?' if others else nearest(name, beside)
    return f'unknown key "{section}.{name}" ({hint})'


def read_recipe(path: str | os.PathLike[str]) -> Recipe:
    """Reads a recipe from a TOML file.

    Raises:
        UsageError: The file is missing, is not TOML, or holds an unknown key or a wrong value.
    """
    path = Path(path)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise UsageError(f"{path}: there is no such recipe file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not a TOML file: {error}") from None
    return recipe_from_dict(values, str(path))


def recipe_to_toml(recipe: Recipe) -> str:
    """The recipe as TOML with every default filled in."""
    return tomli_w.dumps(recipe.to_dict())
