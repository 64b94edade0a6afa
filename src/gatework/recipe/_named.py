"""The recipes that have a name: those of the tasks' folders, of installed packages, and a person's own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from gatework._registry import entry_points, load_plugins, resolve
from gatework.errors import UsageError, nearest
from gatework.options import TASKS
from gatework.recipe._recipe import Recipe
from gatework.recipe._toml import read_recipe

_REGISTERED: dict[str, Path] = {}


def register_recipe(path: str | os.PathLike[str]) -> None:
    """Gives a recipe file a name, that of the file without `.toml`; of a folder, each of its recipe files.

    Raises:
        UsageError: There is no such file, or a built-in recipe has its name.
    """
    path = Path(path)
    built_in = _of_tasks()
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    for file in files:
        if file.suffix != ".toml" or not file.is_file():
            raise UsageError(f"{file} is not there or no recipe; name a .toml file or a folder of them")
        if built_in.get(file.stem, file) != file:
            raise UsageError(f'"{file.stem}" is a built-in recipe; give {file} another name')
        _REGISTERED[file.stem] = file.absolute()


def recipe_files() -> dict[str, Path]:
    """Every recipe that has a name, with its file, in order of the tasks."""
    load_plugins()
    others = {file.stem: file for point in entry_points("gatework.recipes") for file in _files(resolve(point.value))}
    return others | _REGISTERED | _of_tasks()


def find_recipe(name: str) -> Recipe:
    """A recipe by its name, or a person's own by its path.

    Raises:
        UsageError: There is neither.
    """
    files = recipe_files()
    if name in files:
        return read_recipe(files[name])
    if name.endswith(".toml") or os.sep in name:
        return read_recipe(name)
    raise UsageError(f'there is no recipe "{name}": {nearest(name, files)}; or give the path of a .toml file')


def recipe_of_task(name: str) -> Recipe:
    """The recipe that a task is trained with where none is named: that of its own name, or the defaults."""
    return find_recipe(name) if name in recipe_files() else Recipe(TASKS.find(name).name)


def _of_tasks() -> dict[str, Path]:
    return {file.stem: file for task in TASKS.values() if task.recipes for file in _files(task.recipes)}


def _files(place: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """The recipe files of a folder, a file, or several of them."""
    if not isinstance(place, (str, os.PathLike)):
        return [file for one in place for file in _files(one)]
    path = Path(place)
    return sorted(path.glob("*.toml")) if path.is_dir() else [path]
