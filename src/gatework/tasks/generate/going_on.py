"""A training that goes on from a finished run, with its tokens, its size and its weights, on another text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gatework._files import read_json, read_tensors
from gatework.errors import UsageError
from gatework.recipe import Recipe, read_recipe
from gatework.tasks.generate.options import OPTIONS
from gatework.tasks.generate.tokens import Tokens, tokens_from_state

if TYPE_CHECKING:
    from torch import nn


def recipe_of_run(run: str) -> Recipe:
    """The recipe of a finished language model.

    Raises:
        UsageError: The folder holds no such run.
    """
    folder = Path(run)
    if not (folder / "recipe.toml").is_file() or not (folder / "model.safetensors").is_file():
        raise UsageError(f"--from {run} is no finished run; give the folder that --out named, with its training ended")
    recipe = read_recipe(folder / "recipe.toml")
    if recipe.task != OPTIONS.name:
        raise UsageError(f'--from {run} is a run of the task "{recipe.task}", and a language model was expected')
    return recipe


def grown_from(recipe: Recipe, run: str) -> Recipe:
    """The recipe with the network of a run, and where that is."""
    earlier = recipe_of_run(run)
    sizes = {name: getattr(earlier.model, name) for name in ("cell", "hidden", "layers", "embedding", "layer_norm")}
    return recipe.changed(**sizes, from_run=str(Path(run).absolute()), level=tokens_of_run(run).level)


def tokens_of_run(run: str) -> Tokens:
    """The tokens of a finished language model."""
    recipe_of_run(run)
    try:
        return tokens_from_state(read_json(Path(run) / "task.json")["tokens"])
    except (KeyError, TypeError, ValueError):
        raise UsageError(f"--from {run}: its task.json holds no tokens; restore it or train anew") from None


def take_weights(model: nn.Module, run: str) -> None:
    """Gives a network the weights of a run.

    Raises:
        UsageError: They do not fit.
    """
    tensors, _ = read_tensors(Path(run) / "model.safetensors")
    try:
        model.load_state_dict(tensors)
    except RuntimeError:
        raise UsageError(f"--from {run}: its network has another size than this one; leave the size out") from None
