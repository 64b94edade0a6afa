"""The options of translation."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gatework.options import ColumnSummary, OptionSection, TaskOptions, columns_holding, option

AttentionKind = Literal["general", "dot", "additive", "none"]

_SIDE = "The column of the sentences to translate, by name or number; of a TMX file the language, of files the ending."


@dataclass(frozen=True)
class TranslateOptions(OptionSection):
    """How sentences are translated."""

    section = "translate"
    title = "Translation"

    source_column: str | None = option(None, help=_SIDE, flag="source", metavar="COLUMN")
    attention: AttentionKind = option(
        "general",
        help="How the decoder's output is compared with the encoder's (Luong's general or dot, Bahdanau's additive); "
        "none sees the source through the encoder's last state alone.",
    )
    input_feeding: bool = option(
        False, help="Each step of the decoder also reads its last output; training goes step by step, which is slow."
    )
    label_smoothing: float = option(
        0.1, low=0, high=0.9, help="Share of each target's probability that is spread over all pieces of words."
    )
    beam: int = option(5, low=1, high=100, help="Beginnings that are kept for each sentence; 1 is greedy.")
    piece_dropout: float = option(
        0.0,
        low=0,
        high=0.9,
        help="Share of the merges of pieces of words that are undone in training, others every epoch, so that words "
        "are met in several cuts.",
    )
    copying: float = option(
        0.1,
        low=0,
        high=0.9,
        help="Share of training pairs in which words are hidden behind placeholders, which teaches where numbers, "
        "links, tags, new names and a glossary's terms go; with 0 nothing is copied.",
    )
    glossary: str | None = option(
        None, help="A table with terms and the translations that they must have: source and target.", metavar="FILE"
    )
    length_penalty: float = option(
        1.0, low=0, high=10, help="Above 0 longer translations are preferred more; 0 compares plain probabilities."
    )
    coverage_penalty: float = option(
        0.0,
        low=0,
        high=10,
        help="Above 0 a beam prefers translations that have looked at every word of the source.",
    )


@dataclass(frozen=True)
class TranslatePrediction(OptionSection):
    """What a translation is asked for."""

    section = "translate"
    title = "Translation"

    beam: int | None = option(
        None, low=1, high=100, help="Beginnings that are kept for each sentence; 1 is greedy, the fastest."
    )
    shortlist: int | None = option(
        None,
        low=0,
        high=100_000,
        help="Choose from so many likely pieces of words for each piece of the sentence, by the dictionary, and "
        "frequent ones, which is faster; from all if absent.",
    )
    ensemble: str | None = option(
        None,
        help="Other runs on the same pairs, separated by commas, whose probabilities are averaged with this one's.",
        metavar="RUNS",
    )
    alternatives: int | None = option(
        None, low=1, high=100, help="Give so many translations of each sentence, the best first.", commands=("predict",)
    )
    glossary: str | None = option(
        None,
        help="A table with further terms and the translations that they must have: source and target.",
        metavar="FILE",
        commands=("predict",),
    )


def _is_made_for(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith(".tmx")


def _is_meant_by(given: Collection[str]) -> bool:
    return "source_column" in given


def _options_for(columns: Sequence[ColumnSummary]) -> tuple[str, ...] | None:
    texts = columns_holding(columns, "text")
    return ("--source", texts[0], "--target", texts[1]) if len(texts) > 1 else None


OPTIONS = TaskOptions(
    "translate",
    "Translate sentences, learnt from pairs of them.",
    "gatework train translate pairs.tsv --source en --target de --out RUN",
    "gatework.tasks.translate.task:TranslateTask",
    (TranslateOptions,),
    frozenset(
        {"data.text", "data.label", "data.pairs", "data.max_tokens", "data.padding", "data.scale", "data.decimal"}
    )
    | {"data.test_file", "data.store", "model.bidirectional", "model.pooling"},
    help={
        "data.target": "The column of their translations, by name or number; of a TMX file the language, of files the "
        "ending.",
        "data.vocabulary": "The most pieces of words that both languages are cut into (byte-pair encoding).",
        "model.embedding": "Size of the vector of a piece of a word.",
        "model.embedding_dropout": "Share of pieces of words whose vectors are dropped.",
    },
    prediction=TranslatePrediction,
    recipes=Path(__file__).with_name("recipes"),
    reads_texts=True,
    is_meant_by=_is_meant_by,
    options_for=_options_for,
    is_made_for=_is_made_for,
)
