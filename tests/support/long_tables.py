"""Small long tables: several waves a table, each with one label."""

from __future__ import annotations

import numpy as np
import polars as pl

from gatework.recipe import Recipe

COLUMNS = {"series": "id", "time": "t", "value": "a,b", "label": "y"}


def waves(series: int = 60, seed: int = 0, *, is_shuffled: bool = True) -> pl.DataFrame:
    """Two waves of 8 to 16 steps a series, slow or fast by its label; the rows in any order."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(series):
        is_fast, steps = bool(random.integers(2)), np.arange(random.integers(8, 17))
        phase = 6 * random.random() + (1.4 if is_fast else 0.4) * steps
        for step, at in zip(steps.tolist(), phase.tolist(), strict=True):
            rows.append((f"w{number}", step, np.sin(at), np.cos(at), "fast" if is_fast else "slow"))
    frame = pl.DataFrame(rows, schema=["id", "t", "a", "b", "y"], orient="row")
    return frame[random.permutation(len(frame))] if is_shuffled else frame


def small(**changes: object) -> Recipe:
    """A recipe of a few units for such tables."""
    settings = {"hidden": 8, "epochs": 2, "batch_size": 8, "pooling": "attention", "scale": True}
    return Recipe(task="classify").changed(**{**COLUMNS, **settings, **changes})
