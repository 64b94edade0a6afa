"""The options of regression; it has no section of its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from gatework.options import ColumnSummary, TaskOptions, columns_holding


def _is_meant_by(given: Collection[str]) -> bool:
    return "target" in given


def _options_for(columns: Sequence[ColumnSummary]) -> tuple[str, ...] | None:
    texts, numbers = columns_holding(columns, "text"), columns_holding(columns, "number")
    if texts and numbers:
        return "--text", texts[0], "--target", numbers[-1]
    return ("--target", numbers[-1]) if len(numbers) > 1 and not columns_holding(columns, "times") else None


OPTIONS = TaskOptions(
    "regress",
    "Predict values from a series or a text.",
    "gatework train regress readings.csv --target output --out RUN",
    "gatework.tasks.regress.task:RegressTask",
    unused=frozenset({"data.label"}),
    recipes=Path(__file__).with_name("recipes"),
    is_meant_by=_is_meant_by,
    options_for=_options_for,
)
