"""Small texts and recipes of language models."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gatework import training
from gatework.data.dataset import Dataset
from gatework.recipe import Recipe, find_recipe
from gatework.tasks.generate.data import text_dataset
from gatework.training import Run

_WORDS = ("the", "king", "is", "dead", "long", "live", "queen", "she", "said", "and", "he", "went", "home", "to")


def sentences(count: int, seed: int = 0) -> list[str]:
    """Sentences of few words."""
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(_WORDS, size=random.integers(3, 9))).capitalize() + "." for _ in range(count)]


def small(**changes: object) -> Recipe:
    """A recipe that trains in a moment."""
    sizes = {"hidden": 8, "layers": 1, "embedding": 4, "epochs": 2, "minutes": 0, "batch_size": 4, "window": 16}
    return find_recipe("generate").changed(**sizes | changes)


def text(folder: Path, characters: int = 2000, name: str = "text.txt") -> Path:
    """A text file of that many characters."""
    path = folder / name
    path.write_text("\n".join(sentences(characters // 15))[:characters], encoding="utf-8")
    return path


def dataset(folder: Path, recipe: Recipe | None = None, characters: int = 2000) -> Dataset:
    """A text, read and split."""
    return text_dataset(text(folder, characters), recipe or small())


def run(folder: Path, first: str = "", **changes: object) -> Run:
    """A trained language model of a small text that begins so."""
    path = text(folder)
    path.write_text(first + path.read_text(encoding="utf-8"), encoding="utf-8")
    return training.train("generate", path, out=folder / "run", recipe=small(**changes), threads=1)
