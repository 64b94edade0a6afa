"""Small data and recipes for the tests of training."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import polars as pl

from gatework.data import load
from gatework.data.dataset import Dataset, Provenance, Split
from gatework.data.text import Texts
from gatework.recipe import Recipe, find_recipe


def opinions(examples: int = 240, seed: int = 0) -> Dataset:
    """Texts of 0 to 30 words whose class is whether "good" or "bad" came last."""
    random = np.random.default_rng(seed)
    filler = np.array([f"word{k}" for k in range(50)])
    texts, labels = [], []
    for _ in range(examples):
        words = list(random.choice(filler, random.integers(0, 30)))
        label = int(random.integers(2))
        words.insert(int(random.integers(len(words) + 1)), ("bad", "good")[label])
        texts.append(" ".join(words))
        labels.append(label)
    targets = np.array(labels, dtype=np.int64)
    parts = [slice(0, examples // 2), slice(examples // 2, 3 * examples // 4), slice(3 * examples // 4, examples)]
    splits = [Split(Texts.of(texts[part]), targets[part]) for part in parts]
    provenance = Provenance("made by the test", "none", hashlib.sha256(repr(texts).encode()).hexdigest())
    return Dataset("opinions", "text", *splits, provenance, classes=("negative", "positive"))


WORDS = ["good", "bad", "film", "plot", "cast", "end", "slow", "warm"]
"""The words that `sentences()` draws from."""


def sentences(count: int, seed: int = 0) -> list[str]:
    """Texts of six drawn words and one that no other has."""
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(WORDS, size=6)) + f" n{seed}x{k}" for k in range(count)]


def labelled_sentences(path: Path) -> list[str]:
    """Writes a table of 80 sentences whose label says whether "good" is among their words; those sentences."""
    texts = sentences(80)
    pl.DataFrame({"text": texts, "label": ["yes" if "good" in text else "no" for text in texts]}).write_csv(path)
    return texts


def small(**changes: object) -> Recipe:
    """A recipe with everything that has state in it: dropout, a schedule, best weights, ragged batches."""
    base = Recipe(task="classify").changed(
        hidden=8,
        embedding=8,
        layers=2,
        dropout=0.3,
        embedding_dropout=0.1,
        epochs=3,
        batch_size=8,
        schedule="cosine",
        warmup=0.1,
        learning_rate=0.01,
    )
    return base.changed(**changes)


def waves(name: str = "waves") -> tuple[Dataset, Recipe]:
    """A few of the waves, and their recipe made small."""
    recipe = find_recipe(name)
    return load(name, recipe.data).limited(200), recipe.changed(epochs=2, hidden=6)
