"""Where a network looks as it translates, word by word, beside what the dictionary says of the same words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import torch

from gatework.data.subwords import BEGIN, END, PLACEHOLDERS, Subwords
from gatework.decoding.lexicon import Lexicon, words_of
from gatework.tasks.translate.examples import padded
from gatework.tasks.translate.kept import Keeping, Masked
from gatework.tasks.translate.model import TranslationModel

_SHOWN = 8
_SHORTEST, _LONGEST = 4, 14
_MOST_LEARNT = 50_000
_MOST_COVERED, _AT_ONCE = 5000, 64
_LETTER = re.compile(r"\w")
SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "example": pl.Int64,
    "source": pl.List(pl.String),
    "target": pl.List(pl.String),
    "weights": pl.List(pl.List(pl.Float32)),
    "lexicon": pl.List(pl.List(pl.Float32)),
}
"""The table of a run: the position of a test example, the words of both sides, for each word of the translation its
weights over the source's words and its end, and the dictionary's shares of the same words without the end."""


COVERAGE: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "example": pl.Int64,
    "words": pl.Int64,
    "left_out": pl.List(pl.String),
    "said_twice": pl.List(pl.String),
}
"""The table of a run: the position of a test example, how many words its source has, and which of them were hardly
looked at, or for several words of the translation."""
LEFT_OUT, SAID_TWICE = 0.15, 2.0
"""Sums of a source word's weights over all words of a translation: below the one it was hardly looked at and may be
left out, above the other it was looked at for several words and may be said twice."""


def looked_table(
    model: TranslationModel,
    subwords: Subwords,
    keeping: Keeping,
    sentences: tuple[Sequence[str], Sequence[str]],
    known: tuple[Sequence[str], Sequence[str]],
) -> pl.DataFrame:
    """The attention of some sentences; a table without rows where the network has none.

    Args:
        model: The network.
        subwords: Its pieces.
        keeping: What translations keep as it is.
        sentences: The test part's sources and the network's translations.
        known: The training part's sources and translations, which the dictionary learns from.
    """
    chosen = _chosen(*sentences) if model.decoder.attention is not None else []
    lexicon = Lexicon.learnt(known[0][:_MOST_LEARNT], known[1][:_MOST_LEARNT]) if chosen else None
    rows = []
    for k in chosen:
        source, target, weights = looked(model, subwords, keeping, sentences[0][k], sentences[1][k])
        plain = [[next(iter(words_of(word)), word) for word in side] for side in (source, target)]
        shares = lexicon.alignment(*plain) if lexicon else []
        rows.append((k, source, target, weights.tolist(), shares))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def looked(
    model: TranslationModel, subwords: Subwords, keeping: Keeping, source: str, translation: str
) -> tuple[list[str], list[str], np.ndarray]:
    """Where a network looks as it writes a translation.

    Returns:
        The words of the source and of the translation, and the weights, shape (words of the translation, words of the
        source and its end): summed over the pieces of a source's word, and the mean over those of the translation's.

    Raises:
        ValueError: The network has no attention.
    """
    return looked_all(model, subwords, keeping, [source], [translation])[0]


def looked_all(
    model: TranslationModel,
    subwords: Subwords,
    keeping: Keeping,
    sources: Sequence[str],
    translations: Sequence[str],
) -> list[tuple[list[str], list[str], np.ndarray]]:
    """The same of several sentences; see `looked()`."""
    looks = []
    for start in range(0, len(sources), _AT_ONCE):
        some = zip(sources[start : start + _AT_ONCE], translations[start : start + _AT_ONCE], strict=True)
        pairs = [
            keeping.masked_pair(*pair) if subwords.placeholders else (Masked(pair[0], ()), pair[1]) for pair in some
        ]
        numbers, written = subwords.encode([one.text for one, _ in pairs]), subwords.encode([said for _, said in pairs])
        weights = _by_piece(model, numbers, written)
        for k, (source, target) in enumerate(zip(numbers, written, strict=True)):
            words, said, seen = _by_word(subwords, source, target, weights[: len(target), k, : len(source) + 1])
            values = pairs[k][0].values
            looks.append((_filled(words, values), _filled(said, values), seen))
    return looks


def _filled(words: Sequence[str], values: Sequence[str]) -> list[str]:
    """Words with what their placeholders stand for."""
    kept = dict(zip(PLACEHOLDERS, values, strict=False))
    return ["".join(kept.get(letter, letter) for letter in word) for word in words]


def _by_piece(model: TranslationModel, sources: list[list[int]], written: list[list[int]]) -> np.ndarray:
    """The weights of each piece, shape (target, batch, source)."""
    inputs = padded([np.array([*row, END]) for row in sources])
    previous = padded([np.array([BEGIN, *row]) for row in written])
    lengths, target_lengths = (torch.tensor([len(row) + 1 for row in rows]) for rows in (sources, written))
    with torch.no_grad():
        decoded = model.eval().decoded(torch.from_numpy(inputs), lengths, torch.from_numpy(previous), target_lengths)
    if decoded.weights is None:
        raise ValueError("the network has no attention to show")
    return decoded.weights.numpy().astype(np.float64)


def _by_word(
    subwords: Subwords, source: list[int], written: list[int], weights: np.ndarray
) -> tuple[list[str], list[str], np.ndarray]:
    (words, places), (said, rows) = subwords.words(source), subwords.words(written)
    summed = np.zeros((len(written), len(words) + 1))
    np.add.at(summed.T, [*places, len(words)], weights.T)
    by_word = np.zeros((len(said), len(words) + 1))
    np.add.at(by_word, rows, summed)
    return words, said, by_word / np.maximum(np.bincount(rows, minlength=len(said)), 1)[:, np.newaxis]


def coverage_table(
    model: TranslationModel,
    subwords: Subwords,
    keeping: Keeping,
    sources: Sequence[str],
    translations: Sequence[str],
) -> pl.DataFrame:
    """Which words of some sentences were hardly looked at, and which for several words of the translation.

    Args:
        model: The network.
        subwords: Its pieces.
        keeping: What translations keep as it is.
        sources: The sentences.
        translations: The network's translations.

    Returns:
        A row for each of so many sentences, evenly spread; none where the network has no attention.
    """
    count = min(len(sources), _MOST_COVERED) if model.decoder.attention is not None else 0
    chosen = [k * len(sources) // max(count, 1) for k in range(count)]
    seen = looked_all(model, subwords, keeping, [sources[k] for k in chosen], [translations[k] for k in chosen])
    rows = []
    for k, (words, _, weights) in zip(chosen, seen, strict=True):
        plain = [next(filter(_LETTER.search, words_of(word)), "") for word in words]
        sums = [(word, total) for word, total in zip(plain, weights.sum(0), strict=False) if word]
        left_out = [word for word, total in sums if total < LEFT_OUT]
        rows.append((k, len(sums), left_out, [word for word, total in sums if total > SAID_TWICE]))
    return pl.DataFrame(rows, schema=COVERAGE, orient="row")


def _chosen(sources: Sequence[str], translations: Sequence[str]) -> list[int]:
    """Sentences of every usual length, evenly spread, in the order of their length."""
    lengths = np.array([len(source.split()) for source in sources])
    has_words = np.array([bool(text) for text in translations], dtype=bool)
    able = np.flatnonzero((lengths >= _SHORTEST) & (lengths <= _LONGEST) & has_words)
    able = able[np.argsort(lengths[able], kind="stable")]
    return able[np.unique(np.linspace(0, max(len(able) - 1, 0), min(_SHOWN, len(able))).astype(int))].tolist()
