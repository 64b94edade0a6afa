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


@dataclass(frozen=True)
class PretrainingOptions(OptionSection):
    """What a classifier of texts knows before it sees a label."""

    section = "pretraining"
    title = "Pre-training"

    pretrain: str | None = option(
        None,
        help="Texts without labels: a file of lines, a folder, a table, or a data set that has some. The network first "
        "learns to predict the words of these and of the training texts from those around them.",
        metavar="FILE",
        is_path=True,
    )
    from_run: str | None = option(
        None,
        flag="from",
        help="The network begins from this finished language model (gatework train generate --level subword), with its "
        "pieces of words, its size and its layers.",
        metavar="RUN",
        is_path=True,
    )
    pretrain_minutes: float = option(
        0.0,
        low=0,
        high=100_000,
        help="The pre-training ends after so many minutes; 0: after its epochs. Of --minutes, where given alone, it "
        "takes the half.",
    )
    pretrain_epochs: int = option(2, low=1, high=1_000_000, help="Passes over the texts of the pre-training.")
    pretrain_rate: float = option(
        5e-3, low=0, high=1000, is_low_open=True, help="Adam's learning rate in the pre-training, at its highest."
    )
    pretrain_dropout: float = option(
        0.1, low=0, high=0.99, help="Share of units and of words that are dropped in the pre-training."
    )
    unfreezing: float = option(
        0.0,
        low=0,
        high=1,
        help="Share of the training in which a pre-trained network learns its output alone; after twice that it learns "
        "as a whole.",
    )
    falling: float = option(
        1.0, low=1, high=1000, help="How many times slower a pre-trained network learns with each part nearer to words."
    )

    label_curve: bool = option(
        False,
        help="Afterwards also train on 100, 1,000 and 10,000 labels alone, a fifth of which validate, with and without "
        "the pre-training: a curve in the report.",
    )

    @property
    def is_on(self) -> bool:
        """Whether the network begins from a language model."""
        return self.pretrain is not None or self.from_run is not None


def _is_meant_by(given: Collection[str]) -> bool:
    return "target" not in given and ("time" not in given or "value" in given)


OPTIONS = TaskOptions(
    "classify",
    "Tell the class of a text or of a series.",
    "gatework train classify reviews.csv --text review --label sentiment --out RUN",
    "gatework.tasks.classify.task:ClassifyTask",
    (TimeOptions, SequenceOptions, PretrainingOptions, AnswerOptions),
    unused=frozenset({"data.target"})
    | {f"time.{name}" for name in ("known", "past", "static", "frequency", "duplicates")},
    recipes=Path(__file__).with_name("recipes"),
    is_meant_by=_is_meant_by,
)
