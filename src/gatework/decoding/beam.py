r"""Beam search over many sequences at once: from scores of the next token to the likeliest sequences.

A sequence of $n$ tokens, its end counted, has the score $\log p / ((5 + n) / 6)^\alpha$ (Wu et al. 2016, section 7);
$\alpha$ is the length penalty, and 0 compares plain probabilities, which prefer short sequences. A beam of 1 is greedy
search. With a coverage penalty $\beta$ a sequence that has hardly looked at some places of its source is worth less, by
$\beta \sum_s \log \min(\sum_t a_{ts}, 1)$ of its attention weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Hypothesis:
    """A sequence that was found.

    Attributes:
        tokens: Without its begin and end.
        log_probability: Of the whole sequence, its end included; the natural logarithm.
        score: What sequences of one input are ordered by.
        is_complete: Whether it ended by itself, and not at the longest length.
    """

    tokens: tuple[int, ...]
    log_probability: float
    score: float
    is_complete: bool

    @property
    def confidence(self) -> float:
        """The geometric mean of its tokens' probabilities, between 0 and 1."""
        return math.exp(self.log_probability / (len(self.tokens) + self.is_complete or 1))


class NextTokens(Protocol):
    """What is searched: a model in the middle of some sequences, several prefixes (beams) of each.

    Attributes:
        penalties: What a prefix that ends with the tokens of the last `best()` has its score lowered by, shape
            (sequences, beams); None where nothing has.
    """

    penalties: np.ndarray | None

    def best(self, tokens: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Goes on by a token of each prefix.

        Args:
            tokens: Shape (sequences, beams), int64.
            count: How many of the next tokens are wanted; fewer are given where the vocabulary is smaller.

        Returns:
            The log-probabilities of the likeliest next tokens and the tokens, the likeliest first, each of shape
            (sequences, beams, count).
        """
        ...

    def keep(self, sequences: np.ndarray, beams: np.ndarray) -> None:
        """Keeps these sequences, shape (sequences,), and of each these beams, shape (sequences, beams)."""
        ...


def beam_search(
    model: NextTokens, limits: list[int], *, begin: int, end: int, beam: int = 1, length_penalty: float = 1.0
) -> list[list[Hypothesis]]:
    """Searches the likeliest sequences.

    Args:
        model: Gives log-probabilities; each sequence stands at its begin, and has `beam` prefixes.
        limits: The most tokens of each sequence.
        begin: The token that sequences begin with.
        end: The token that they end with.
        beam: Prefixes that are kept of each sequence.
        length_penalty: See above.

    Returns:
        For each sequence `beam` hypotheses, or fewer where the vocabulary is smaller, the best first.
    """
    results: list[list[Hypothesis]] = [[] for _ in limits]
    running = list(range(len(limits)))
    tokens = np.full((len(limits), beam), begin)
    totals = np.full((len(limits), beam), -np.inf, np.float32)
    totals[:, 0] = 0.0
    prefixes = np.empty((len(limits), beam, 0), np.int64)
    length = 0
    while running:
        length += 1
        best = _best(totals, *model.best(tokens, 2 * beam), 2 * beam)
        reached, origins, words = best
        factor = length_factor(length, length_penalty)
        is_end = words == end
        if is_end[:, :beam].any():
            _collect(results, running, best, is_end, prefixes, beam, factor, model.penalties)
        # Of twice as many candidates at most half end here, so that enough are left to go on with.
        order = is_end.argsort(1, kind="stable")[:, :beam]
        each = np.arange(len(running))[:, None]
        totals, beams, tokens = reached[each, order], origins[each, order], words[each, order]
        prefixes = np.concatenate([prefixes[each, beams], tokens[..., None]], 2)
        kept = []
        for place, k in enumerate(running):
            if length < limits[k] and len(results[k]) < beam:
                kept.append(place)
            elif len(results[k]) < beam:
                _cut_off(results[k], prefixes[place], totals[place], beam, factor)
        if len(kept) < len(running):
            totals, beams, tokens, prefixes = totals[kept], beams[kept], tokens[kept], prefixes[kept]
            running = [running[place] for place in kept]
        if running:
            model.keep(np.array(kept), beams)
    return [sorted(hypotheses, key=lambda hypothesis: -hypothesis.score) for hypotheses in results]


def length_factor(length: int, penalty: float) -> float:
    """What a log-probability is divided by to give a score."""
    return ((5 + length) / 6) ** penalty


def _best(
    totals: np.ndarray, each: np.ndarray, words: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best continuations of each sequence: their log-probabilities, beams and tokens, the best first."""
    flat = (totals[..., None] + each).reshape(len(totals), -1)
    # No beam has more among the best of all than are given of it.
    places = (-flat).argsort(1, kind="stable")[:, :count]
    rows = np.arange(len(totals))[:, None]
    return flat[rows, places], places // each.shape[2], words.reshape(len(totals), -1)[rows, places]


def _collect(
    results: list[list[Hypothesis]],
    running: list[int],
    best: tuple[np.ndarray, np.ndarray, np.ndarray],
    is_end: np.ndarray,
    prefixes: np.ndarray,
    beam: int,
    factor: float,
    penalties: np.ndarray | None,
) -> None:
    """Takes the sequences that end among the best; beyond the first `beam` a candidate is none of them."""
    reached, origins, _ = best
    for place, at in np.argwhere(is_end[:, :beam] & np.isfinite(reached[:, :beam])).tolist():
        hypotheses = results[running[place]]
        if len(hypotheses) < beam:
            total, origin = float(reached[place, at]), int(origins[place, at])
            penalty = 0.0 if penalties is None else float(penalties[place, origin])
            prefix = tuple(prefixes[place, origin].tolist())
            hypotheses.append(Hypothesis(prefix, total, total / factor - penalty, True))


def _cut_off(hypotheses: list[Hypothesis], prefixes: np.ndarray, totals: np.ndarray, beam: int, factor: float) -> None:
    """Fills up with the prefixes of a sequence that has reached its longest length."""
    for prefix, total in zip(prefixes.tolist(), totals.tolist(), strict=True):
        if len(hypotheses) < beam and math.isfinite(total):
            hypotheses.append(Hypothesis(tuple(prefix), total, total / factor, False))
