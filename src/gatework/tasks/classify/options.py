"""The options of classification."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from gatework.options import AnswerOptions, Names, OptionSection, TaskOptions, TimeOptions, option


@dataclass(frozen=True)
class SequenceOptions(OptionSection):
    """What each step of a series holds, in a long table: the columns that tell series apart are those of the times."""

    section = "sequence"
    title = "Series from a long table"

    value: Names = option(
        None,
        help="The columns of the values at each step of a series; every other column of numbers if absent.",
        metavar="COLUMN",
    )


def _is_meant_by(given: Collection[str]) -> bool:
    return "target" not in given and ("time" not in given or "value" in given)


OPTIONS = TaskOptions(
    "classify",
    "Tell the class of a text or of a series.",
    "gatework train classify reviews.csv --text review --label sentiment --out RUN",
    "gatework.tasks.classify.task:ClassifyTask",
    (TimeOptions, SequenceOptions, AnswerOptions),
    unused=frozenset({"data.target"})
    | {f"time.{name}" for name in ("known", "past", "static", "frequency", "duplicates")},
    recipes=Path(__file__).with_name("recipes"),
    is_meant_by=_is_meant_by,
)
