"""Pairs of sentences of a toy language, and a small translator of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from gatework.recipe import Recipe, find_recipe

WORDS = {
    "a": "un", "the": "le", "dog": "chien", "cat": "chat", "man": "homme", "sees": "voit", "eats": "mange",
    "big": "grand", "small": "petit", "here": "ici", "now": "maintenant", "red": "rouge",
}  # fmt: skip


def toy_pairs(count: int, seed: int = 0, longest: int = 5) -> pl.DataFrame:
    """Different sentences without a repeated word, translated word by word, with the columns "source" and "target"."""
    random = np.random.default_rng(seed)
    rows: dict[str, str] = {}
    while len(rows) < count:
        words = random.choice(list(WORDS), size=random.integers(2, longest + 1), replace=False).tolist()
        rows[" ".join(words)] = " ".join(WORDS[word] for word in words)
    return pl.DataFrame({"source": list(rows), "target": list(rows.values())})


def small(**changes: Any) -> Recipe:
    """A translator that is trained in a moment."""
    given = {"hidden": 8, "embedding": 8, "vocabulary": 300, "dropout": 0.0, "batch_size": 16, "beam": 2}
    return find_recipe("translate").changed(**{**given, "validation": 0.2, "test": 0.2, **changes})
