"""Language models of letters that are made and not trained: certain of what follows each letter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from gatework._files import write_json, write_tensors
from gatework.data.pieces import Tokens
from gatework.recipe import find_recipe, recipe_to_toml
from gatework.tasks.transcribe.recurrent import LanguageSize, RecurrentLanguage

FOLLOWING = {"": "c", " ": "c", "a": "b", "b": " ", "c": "a"}


def bigrams(following: Mapping[str, str], characters: str = " abc\n") -> RecurrentLanguage:
    """A network that is certain of the letter that follows each; a new line stands before texts."""
    count, first = len(characters), 257
    sizes = {"cell": "rnn", "hidden": count, "layers": 1, "embedding": count}
    size = LanguageSize(find_recipe("generate").changed(**sizes).model, characters)
    weights = {name: torch.zeros(shape) for name, shape in size.shapes().items()}
    # The state is the last letter alone, and what is said of the next one depends on it alone.
    weights["embedding.weight"][first:] = torch.eye(count)
    weights["recurrent.weight_ih_l0"] += 5 * torch.eye(count)
    for before, after in following.items():
        weights["projection.weight"][characters.index(after), characters.index(before or "\n")] = 8.0
    return RecurrentLanguage(size, weights)


def written(folder: Path, language: RecurrentLanguage, tokens: Tokens | None = None) -> str:
    """The folder of a run with such a network."""
    folder.mkdir()
    network = language.size.network
    sizes = {name: getattr(network, name) for name in ("cell", "hidden", "layers", "embedding")}
    (folder / "recipe.toml").write_text(recipe_to_toml(find_recipe("generate").changed(**sizes)))
    write_json(folder / "task.json", {"tokens": (tokens or language.size.tokens).state()})
    write_json(folder / "summary.json", {})
    write_tensors(folder / "model.safetensors", language.weights)
    return str(folder)
