"""`gatework recipes`: what there is, one of them, a copy, and whether a file is one."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from gatework.cli import _options as options
from gatework.errors import UsageError
from gatework.formatting import wrapped
from gatework.recipe import find_recipe, read_recipe, recipe_files

Name = Annotated[str, typer.Argument(metavar="NAME", help="A recipe, as gatework recipes lists them.")]


def build() -> typer.Typer:
    """The command with its own commands."""
    app = typer.Typer(help="List the recipes, show one, copy one, or check one of yours.", invoke_without_command=True)
    app.callback()(recipes)
    for command in (show, copy, check):
        app.command(command.__name__)(command)
    return app


def recipes(context: typer.Context, as_json: options.AsJson = False) -> None:
    """List the recipes, show one, copy one, or check one of yours."""
    if context.invoked_subcommand is not None:
        return
    rows = [{"name": name, "task": find_recipe(name).task, "about": _about(file)} for name, file in _files()]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    width, wide = (max(len(row[key]) for row in rows) for key in ("name", "task"))
    for row in rows:
        line = f"{row['name']:<{width}}  {row['task']:<{wide}}  {row['about']}"
        print(wrapped(line, sys.stdout, width + wide + 4))


def show(name: Name) -> None:
    """Print a recipe; what it leaves out has its default."""
    print(_file(name).read_text(encoding="utf-8"), end="")


def copy(name: Name, file: Annotated[Path, typer.Argument(metavar="FILE", help="The .toml file to write.")]) -> None:
    """Copy a recipe, to change it and give it by --recipe FILE."""
    from gatework._files import write_text

    if file.suffix != ".toml":
        raise UsageError(f"{file} is no recipe file; end its name in .toml")
    if file.exists():
        raise UsageError(f"{file} exists already; name another file")
    write_text(file, _file(name).read_text(encoding="utf-8"))
    print(file)


def check(file: Annotated[Path, typer.Argument(metavar="FILE", help="The .toml file.")]) -> None:
    """Check a recipe: every unknown key and every wrong value is named."""
    recipe = read_recipe(file)
    print(f'{file} is right: a recipe of the task "{recipe.task}"')


def _files() -> list[tuple[str, Path]]:
    return sorted(recipe_files().items(), key=lambda item: (find_recipe(item[0]).task, item[0]))


def _file(name: str) -> Path:
    find_recipe(name)
    return recipe_files().get(name, Path(name))


def _about(file: Path) -> str:
    """The first sentence of the comment that a recipe begins with, if it does."""
    lines = itertools.takewhile(lambda line: line.startswith("#"), file.read_text(encoding="utf-8").splitlines())
    sentence, stop, _ = " ".join(line.lstrip("# ").strip() for line in lines).partition(". ")
    return sentence + stop.strip()
