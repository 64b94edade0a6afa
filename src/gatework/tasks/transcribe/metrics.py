"""How good transcripts are: words and letters that would have to be changed, against those that were said."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from gatework.tasks._metric import Metric, register_metrics
from gatework.tasks._sample import Sample

if TYPE_CHECKING:
    import polars as pl

register_metrics(
    Metric("wer", "WER", lower_is_better=True),
    Metric("cer", "CER", lower_is_better=True),
    Metric("wer_greedy", "WER without the language model", lower_is_better=True, short="WER no LM"),
    Metric("cer_greedy", "CER without the language model", lower_is_better=True, short="CER no LM"),
    Metric("ser", "sentence error rate", lower_is_better=True, is_share=True, short="SER"),
)


def answers_of(references: Sequence[str], texts: Sequence[str], greedy: Sequence[str]) -> pl.DataFrame:
    """Answers as a table.

    Args:
        references: What was said.
        texts: What the network says with its language model.
        greedy: What it says without.

    Returns:
        The columns "reference", "text" and "greedy".
    """
    import polars as pl

    columns = {"reference": list(references), "text": list(texts), "greedy": list(greedy)}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def distance(reference: Sequence[str], said: Sequence[str]) -> int:
    """The fewest insertions, deletions and substitutions between two texts (of letters) or lists (of words)."""
    from rapidfuzz.distance import Levenshtein

    return int(Levenshtein.distance(reference, said))


def aligned(reference: str, said: str) -> list[tuple[str, str]]:
    """The words of two texts side by side, in order, with as few differences as can be.

    Returns:
        Pairs of a word that was said and the one that was written for it; empty where there is none.
    """
    from rapidfuzz.distance import Levenshtein

    known, written = reference.split(), said.split()
    pairs: list[tuple[str, str]] = []
    for block in Levenshtein.opcodes(known, written):
        left, right = known[block.src_start : block.src_end], written[block.dest_start : block.dest_end]
        pairs += zip_longest(left, right, fillvalue="")
    return pairs


def word_errors(references: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    """The wrong words of each text, int64."""
    pairs = zip(references, texts, strict=True)
    return np.array([distance(known.split(), said.split()) for known, said in pairs], dtype=np.int64)


def letter_errors(references: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    """The wrong letters of each text, spaces included, int64."""
    return np.array([distance(known, said) for known, said in zip(references, texts, strict=True)], dtype=np.int64)


def word_counts(references: Sequence[str]) -> np.ndarray:
    """The words of each text, int64."""
    return np.array([len(text.split()) for text in references], dtype=np.int64)


def metrics(answers: pl.DataFrame) -> dict[str, float]:
    """Word and letter error rates over all texts together, and those without the language model where it is used.

    Where nothing was said at all, the rates are the number of words and letters that were written.

    Args:
        answers: As `answers_of()` gives them.
    """
    references, texts, greedy = (answers[name].to_list() for name in ("reference", "text", "greedy"))
    words, letters = max(int(word_counts(references).sum()), 1), max(sum(map(len, references)), 1)
    wrong = word_errors(references, texts)
    figures = {
        "wer": float(wrong.sum()) / words,
        "cer": float(letter_errors(references, texts).sum()) / letters,
        "ser": float((wrong > 0).mean()) if len(wrong) else 0.0,
    }
    if greedy != texts:
        figures["wer_greedy"] = float(word_errors(references, greedy).sum()) / words
        figures["cer_greedy"] = float(letter_errors(references, greedy).sum()) / letters
    return figures


def sample(answers: pl.DataFrame) -> Sample:
    """The share of each text's words that are wrong, weighted by its words: the weighted mean is the WER."""
    references = answers["reference"].to_list()
    wrong, words = word_errors(references, answers["text"].to_list()), word_counts(references)
    # A text of no words counts as one of a single word, so that what is written into silence is seen.
    counts = np.maximum(words, 1)
    return Sample(wrong / counts, counts / max(int(counts.sum()), 1), np.arange(len(words)))
