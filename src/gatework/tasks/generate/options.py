"""The options of language models and of what they write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gatework.options import ColumnSummary, Names, OptionSection, TaskOptions, columns_holding, option

Level = Literal["auto", "char", "subword"]

_MOST = 1_000_000


@dataclass(frozen=True)
class GenerateOptions(OptionSection):
    """How a text is read."""

    section = "generate"
    title = "Language models"

    level: Level = option(
        "auto",
        help="What is predicted: characters, or pieces of words (byte-pair encoding); auto takes characters up to "
        "a few million of them. What is in neither is read as bytes.",
    )
    window: int = option(
        128, low=2, high=_MOST, help="Tokens that a training step reads of each stream; the state goes on to the next."
    )
    from_run: str | None = option(
        None,
        flag="from",
        metavar="RUN",
        is_path=True,
        help="Training goes on from this language model, its tokens and its size.",
    )


@dataclass(frozen=True)
class GeneratePrediction(OptionSection):
    """How a text is written."""

    section = "generate"
    title = "What is written"

    length: int = option(500, low=1, high=100_000_000, help="Characters to write.", commands=("predict",))
    samples: int = option(1, low=1, high=10_000, help="Texts to write, side by side.", commands=("predict",))
    temperature: float = option(
        0.8, low=0, high=100, help="Below 1 the likely is preferred, above 1 the unlikely; 0: always the likeliest.",
        commands=("predict",),
    )  # fmt: skip
    top_k: int = option(0, low=0, high=_MOST, help="Only the so many likeliest tokens; 0: all.", commands=("predict",))
    top_p: float = option(
        1.0, low=0, high=1, is_low_open=True, help="Only the likeliest tokens that have this share together.",
        commands=("predict",),
    )  # fmt: skip
    min_p: float = option(
        0.02, low=0, high=1, help="Only tokens at least so likely as this share of the likeliest one.",
        commands=("predict",),
    )  # fmt: skip
    repetition_penalty: float = option(
        1.0, low=0.1, high=100, help="Tokens of the last 64 become less likely by this factor; 1: no less.",
        commands=("predict",),
    )  # fmt: skip
    dry_multiplier: float = option(
        0.0, low=0, high=100, flag="dry",
        help="Runs that stand in the text already become less likely, the longer the more (DRY); 0.8 ends loops.",
        commands=("predict",),
    )  # fmt: skip
    stop: Names = option(None, help="A text ends before this.", metavar="TEXT", commands=("predict",))
    seed: int | None = option(
        None, low=0, high=2**63 - 1, help="Draws the same text again; another each time if absent.",
        commands=("predict",),
    )  # fmt: skip
    interactive: bool = option(
        False, help="Write in turns: pick among the likeliest next tokens, go back, change the temperature.",
        commands=("predict",),
    )  # fmt: skip
    label: str | None = option(
        None, help="What the text is to be labelled, for a network that learnt with --label.", metavar="LABEL",
        commands=("predict",),
    )  # fmt: skip
    dynamic: bool = option(
        False, help="Beside it, the figures of a network that goes on learning from the text as it reads it.",
        commands=("evaluate",),
    )  # fmt: skip
    prompt_file: str | None = option(
        None, help="The text to go on from is the content of this file.", metavar="FILE", commands=("predict",)
    )


def _options_for(columns: Sequence[ColumnSummary]) -> tuple[str, ...] | None:
    texts = columns_holding(columns, "text")
    return ("--text", texts[0]) if texts else None


OPTIONS = TaskOptions(
    "generate",
    "Learn to write like a text: a file, a folder of texts, or a column of a table.",
    "gatework train generate book.txt --minutes 5 --out RUN",
    "gatework.tasks.generate.task:GenerateTask",
    (GenerateOptions,),
    frozenset(f"data.{name}" for name in ("target", "decimal", "pairs", "max_tokens", "padding", "scale", "split_seed"))
    | {"data.test_file", "model.bidirectional", "model.pooling", "training.bucket"},
    help={
        "data.text": "The column of a table that holds the texts.",
        "data.label": "The column of a table that says what each text is labelled; a prediction then takes --label.",
        "data.vocabulary": "The most pieces of words that a text is cut into (byte-pair encoding).",
        "model.embedding": "Size of the vector of a character or piece of a word.",
        "model.embedding_dropout": "Share of characters or pieces of words whose vectors are dropped.",
    },
    prediction=GeneratePrediction,
    recipes=Path(__file__).with_name("recipes"),
    reads_texts=True,
    options_for=_options_for,
)
