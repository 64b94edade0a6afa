"""The options of regression; it has no section of its own."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from gatework.options import TaskOptions


def _is_meant_by(given: Collection[str]) -> bool:
    return "target" in given


OPTIONS = TaskOptions(
    "regress",
    "Predict values from a series or a text.",
    "gatework train regress readings.csv --target output --out RUN",
    "gatework.tasks.regress.task:RegressTask",
    unused=frozenset({"data.label", "model.adversarial"}),
    recipes=Path(__file__).with_name("recipes"),
    is_meant_by=_is_meant_by,
)
