"""A finished language model as the beginning of another training: tokens, size, weights, and what it has read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework._files import read_json, read_tensors
from gatework.data._panic import panics_kept_back
from gatework.data.pieces import Tokens, tokens_from_state
from gatework.errors import RunError, UsageError
from gatework.recipe import Recipe, read_recipe

if TYPE_CHECKING:
    from torch import Tensor, nn

LEARNT_TABLE = "learnt"
"""The table of the lines that a language model has learnt from: "line", as `gatework.data.known_lines` numbers them."""
_TASK = "generate"
_SIZES = ("cell", "hidden", "layers", "embedding", "layer_norm")
_WEIGHTS = "model.safetensors"


class LanguageRun:
    """The folder of a finished language model that `--from` or another option names.

    Args:
        run: The folder.
        flag: The option that names it.

    Attributes:
        folder: The same.
        recipe: What was trained how.

    Raises:
        UsageError: It is no finished run, or that of another task.
        RunError: A file of it is corrupt.
    """

    def __init__(self, run: str, flag: str = "--from") -> None:
        self.folder, self.named = Path(run), f"{flag} {run}"
        if not all((self.folder / file).is_file() for file in ("recipe.toml", _WEIGHTS, "summary.json")):
            raise UsageError(
                f"{self.named} is no finished run; give the folder that --out named, with its training ended"
            )
        self.recipe: Recipe = read_recipe(self.folder / "recipe.toml")
        if self.recipe.task != _TASK:
            raise UsageError(
                f'{self.named} is a run of the task "{self.recipe.task}", and a language model was expected'
            )

    @property
    def sizes(self) -> dict[str, Any]:
        """The fields of a recipe that decide the shapes of its weights, its vocabulary apart."""
        return {name: getattr(self.recipe.model, name) for name in _SIZES}

    @cached_property
    def tokens(self) -> Tokens:
        """What it reads texts as."""
        try:
            return tokens_from_state(read_json(self.folder / "task.json")["tokens"])
        # The package tokenizers has no exception of its own.
        except RunError:
            raise
        except Exception:
            raise UsageError(f"{self.named}: its task.json holds no tokens; restore it or train anew") from None

    @cached_property
    def weights(self) -> Mapping[str, Tensor]:
        """Its weights, by name."""
        return read_tensors(self.folder / _WEIGHTS)[0]

    @cached_property
    def learnt_lines(self) -> np.ndarray:
        """The lines that it has learnt from, as `gatework.data.known_lines` numbers them."""
        import polars as pl

        file = self.folder / f"{LEARNT_TABLE}.parquet"
        try:
            with panics_kept_back():
                return pl.read_parquet(file, glob=False)["line"].cast(pl.Int64).to_numpy()
        except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
            raise UsageError(
                f"{self.named}: its {file.name}, the lines that it has read, is missing or corrupt; restore it "
                "or train anew"
            ) from None

    def given_to(self, module: nn.Module, prefix: str = "") -> None:
        """Gives a module those of its weights whose names begin so.

        Raises:
            UsageError: They do not fit.
        """
        taken = {name.removeprefix(prefix): w for name, w in self.weights.items() if name.startswith(prefix)}
        try:
            module.load_state_dict(taken)
        except RuntimeError:
            raise UsageError(f"{self.named}: its network has another size than this one; leave the size out") from None
