"""Where a network looks as it translates, word by word, beside what the dictionary says of the same words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import torch

from gatework.data.subwords import BEGIN, END, Subwords
from gatework.decoding.lexicon import Lexicon, words_of
from gatework.tasks.translate.model import TranslationModel

_SHOWN = 8
_SHORTEST, _LONGEST = 4, 14
_MOST_LEARNT = 50_000
SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "example": pl.Int64,
    "source": pl.List(pl.String),
    "target": pl.List(pl.String),
    "weights": pl.List(pl.List(pl.Float32)),
    "lexicon": pl.List(pl.List(pl.Float32)),
}
"""The table of a run: the position of a test example, the words of both sides, for each word of the translation its
weights over the source's words and its end, and the dictionary's shares of the same words without the end."""


LEFT_OUT, SAID_TWICE = 0.15, 2.0
"""Sums of a source word's weights over all words of a translation: below the one it was hardly looked at and may be
left out, above the other it was looked at for several words and may be said twice."""


def looked_table(
    model: TranslationModel,
    subwords: Subwords,
    sentences: tuple[Sequence[str], Sequence[str]],
    known: tuple[Sequence[str], Sequence[str]],
) -> pl.DataFrame:
    """The attention of some sentences; a table without rows where the network has none.

    Args:
        model: The network.
        subwords: Its pieces.
        sentences: The test part's sources and the network's translations.
        known: The training part's sources and translations, which the dictionary learns from.
    """
    chosen = _chosen(*sentences) if model.decoder.attention is not None else []
    lexicon = Lexicon.learnt(known[0][:_MOST_LEARNT], known[1][:_MOST_LEARNT]) if chosen else None
    rows = []
    for k in chosen:
        source, target, weights = looked(model, subwords, sentences[0][k], sentences[1][k])
        plain = [[next(iter(words_of(word)), word) for word in side] for side in (source, target)]
        shares = lexicon.alignment(*plain) if lexicon else []
        rows.append((k, source, target, weights.tolist(), shares))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def looked(
    model: TranslationModel, subwords: Subwords, source: str, translation: str
) -> tuple[list[str], list[str], np.ndarray]:
    """Where a network looks as it writes a translation.

    Returns:
        The words of the source and of the translation, and the weights, shape (words of the translation, words of the
        source and its end): summed over the pieces of a source's word, and the mean over those of the translation's.

    Raises:
        ValueError: The network has no attention.
    """
    numbers, written = subwords.encode([source])[0], subwords.encode([translation])[0]
    inputs, previous = torch.tensor([[*numbers, END]]), torch.tensor([[BEGIN, *written]])
    with torch.no_grad():
        steps = (torch.tensor([inputs.shape[1]]), torch.tensor([previous.shape[1]]))
        decoded = model.eval().decoded(inputs, steps[0], previous, steps[1])
    if decoded.weights is None:
        raise ValueError("the network has no attention to show")
    by_piece = decoded.weights[: len(written), 0].numpy().astype(np.float64)
    (words, places), (said, rows) = subwords.words(numbers), subwords.words(written)
    summed = np.zeros((len(written), len(words) + 1))
    np.add.at(summed.T, [*places, len(words)], by_piece.T)
    weights = np.zeros((len(said), len(words) + 1))
    np.add.at(weights, rows, summed)
    return words, said, weights / np.maximum(np.bincount(rows, minlength=len(said)), 1)[:, np.newaxis]


def _chosen(sources: Sequence[str], translations: Sequence[str]) -> list[int]:
    """Sentences of every usual length, evenly spread, in the order of their length."""
    lengths = np.array([len(source.split()) for source in sources])
    has_words = np.array([bool(text) for text in translations], dtype=bool)
    able = np.flatnonzero((lengths >= _SHORTEST) & (lengths <= _LONGEST) & has_words)
    able = able[np.argsort(lengths[able], kind="stable")]
    return able[np.unique(np.linspace(0, max(len(able) - 1, 0), min(_SHOWN, len(able))).astype(int))].tolist()
