"""The options of classification."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from gatework.options import AnswerOptions, TaskOptions


def _is_meant_by(given: Collection[str]) -> bool:
    return "target" not in given


OPTIONS = TaskOptions(
    "classify",
    "Tell the class of a text or of a series.",
    "gatework train classify reviews.csv --text review --label sentiment --out RUN",
    "gatework.tasks.classify.task:ClassifyTask",
    (AnswerOptions,),
    unused=frozenset({"data.target"}),
    recipes=Path(__file__).with_name("recipes"),
    is_meant_by=_is_meant_by,
)
