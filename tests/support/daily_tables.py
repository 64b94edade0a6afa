"""Small tables with a time column for the tests of forecasting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gatework import training
from gatework.recipe import Recipe
from gatework.training.run import Run


def daily(values: Any, start: str = "2020-01-01", **columns: Any) -> pl.DataFrame:
    """One daily series, with further columns."""
    days = np.datetime64(start, "D") + np.arange(len(values))
    return pl.DataFrame({"day": days, "y": np.asarray(values, dtype=np.float64), **columns})


def small(**changes: Any) -> Recipe:
    """A recipe of few, small steps."""
    base = Recipe(task="forecast").changed(
        time="day",
        target="y",
        horizon=4,
        window=8,
        hidden=16,
        epochs=30,
        batch_size=32,
        learning_rate=1e-2,
        calendar=False,
        blend=False,
    )
    return base.changed(schedule="cosine", **changes)


def trained(frame: pl.DataFrame, out: Path, **changes: Any) -> Run:
    """A finished run on a frame."""
    return training.train("forecast", frame, out=out, recipe=small(**changes), threads=1)
