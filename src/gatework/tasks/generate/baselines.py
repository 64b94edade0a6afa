"""Tables of counts that a language model must beat."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from gatework.tasks._task import Baseline
from gatework.tasks.generate.counting import Counted
from gatework.tasks.generate.metrics import answers_of

if TYPE_CHECKING:
    from gatework.tasks.generate.streams import TokenExamples


def baselines(
    train: TokenExamples, validation: TokenExamples, test: TokenExamples, level: str, vocabulary: int
) -> Sequence[Baseline]:
    """n-grams of the order that does best on the validation part, and how often tokens occur, alone and in pairs."""
    start = perf_counter()
    counted = Counted.fit(train, validation, level, vocabulary)
    about = (
        f"Modified Kneser-Ney: how often each token follows the {counted.model.order - 1} before it, smoothed by "
        "shorter ones; the order is chosen on the validation part."
    )
    answers = answers_of(counted.nats(test), test)
    ngrams = Baseline(counted.name, about, answers, perf_counter() - start, counted.parameters)
    return [ngrams, _bigram(train, test, vocabulary), _unigram(train, test, vocabulary)]


def _unigram(train: TokenExamples, test: TokenExamples, vocabulary: int) -> Baseline:
    start = perf_counter()
    nats = -np.log(_shares(train, vocabulary))[test.ring]
    about = "Each token is as likely as it is frequent in the training part, one added to every count."
    return Baseline("unigram", about, answers_of(nats, test), perf_counter() - start, vocabulary)


def _bigram(train: TokenExamples, test: TokenExamples, vocabulary: int) -> Baseline:
    """Witten-Bell: the share of what follows a token, mixed with that of tokens by how many kinds follow it."""
    start = perf_counter()
    single, before, after = _shares(train, vocabulary), train.ring[:-1].astype(np.int64), train.ring[1:]
    pairs, counts = np.unique(before * vocabulary + after, return_counts=True)
    totals = np.bincount(before, minlength=vocabulary)
    kinds = np.bincount(pairs // vocabulary, minlength=vocabulary)
    wanted = test.ring[:-1].astype(np.int64) * vocabulary + test.ring[1:]
    places = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
    seen = np.where(pairs[places] == wanted, counts[places], 0)
    kind, total, alone = kinds[test.ring[:-1]], totals[test.ring[:-1]], single[test.ring[1:]]
    share = np.where(total > 0, (seen + kind * alone) / np.maximum(total + kind, 1), alone)
    nats = np.concatenate([[np.nan], -np.log(share)])
    about = "Each token is as likely as it is frequent after the one before it, with a share for pairs that are new."
    return Baseline("bigram", about, answers_of(nats, test), perf_counter() - start, len(pairs))


def _shares(train: TokenExamples, vocabulary: int) -> np.ndarray:
    counts = np.bincount(train.ring[1:], minlength=vocabulary) + 1.0
    shares: np.ndarray = counts / counts.sum()
    return shares
