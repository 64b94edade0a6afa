"""What benchmarks share: settings given on the command line, and runs that may be there already."""

import argparse
import json
from pathlib import Path
from typing import Any

from gatework import training
from gatework.data.dataset import Dataset
from gatework.recipe import Recipe
from gatework.training import Run
from gatework.training.fitting import prepare
from gatework.training.progress import Lines


def take_settings(parser: argparse.ArgumentParser) -> None:
    """Lets fields of a recipe be given, as `--set hidden=64 cell=gru`."""
    parser.add_argument(
        "--set", nargs="*", action="extend", default=[], metavar="NAME=VALUE", help="fields of every recipe"
    )


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """The fields that were given, by their names."""
    return {name: _value(text) for name, _, text in (given.partition("=") for given in options.set)}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def finished(out: Path, dataset: Dataset, recipe: Recipe, threads: int | None) -> Run:
    """A run trained to its end, from where it was left if it is there.

    Raises:
        SystemExit: What is there was trained by another recipe.
    """
    if (out / "recipe.toml").exists():
        _, wanted = prepare(dataset, recipe.task, recipe, {})
        if Run.open(out).recipe.to_dict() != wanted.to_dict():
            raise SystemExit(f"{out} holds a run of other settings: remove it, or name another folder with --out")
        return training.resume(out, dataset, progress=Lines())
    return training.train(recipe.task, dataset, out=out, recipe=recipe, threads=threads, progress=Lines())
