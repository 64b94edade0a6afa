r"""Beam search over many sequences at once: from scores of the next token to the likeliest sequences.

A sequence of $n$ tokens, its end counted, has the score $\log p / ((5 + n) / 6)^\alpha$ (Wu et al. 2016, section 7);
$\alpha$ is the length penalty, and 0 compares plain probabilities, which prefer short sequences. A beam of 1 is greedy
search.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


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
    """What is searched: a model in the middle of some sequences, several prefixes (beams) of each."""

    def best(self, tokens: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Goes on by a token of each prefix.

        Args:
            tokens: Shape (sequences, beams).
            count: How many of the next tokens are wanted; fewer are given where the vocabulary is smaller.

        Returns:
            The log-probabilities of the likeliest next tokens and the tokens, each (sequences, beams, count), the
            likeliest first.
        """
        ...

    def keep(self, sequences: Tensor, beams: Tensor) -> None:
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
    tokens = torch.full((len(limits), beam), begin)
    totals = torch.full((len(limits), beam), -math.inf)
    totals[:, 0] = 0.0
    prefixes = torch.empty((len(limits), beam, 0), dtype=torch.int64)
    length = 0
    while running:
        length += 1
        reached, origins, words = _best(totals, *model.best(tokens, 2 * beam), 2 * beam)
        _collect(results, running, (reached, origins, words), prefixes, end, beam, length, length_penalty)
        # Of twice as many candidates at most half end here, so that enough are left to go on with.
        order = torch.sort((words == end).to(torch.uint8), dim=1, stable=True).indices[:, :beam]
        totals, beams, tokens = reached.gather(1, order), origins.gather(1, order), words.gather(1, order)
        prefixes = torch.cat([prefixes.gather(1, beams[..., None].expand(-1, -1, length - 1)), tokens[..., None]], 2)
        is_open = [len(results[k]) < beam and length < limits[k] for k in running]
        for place, k in enumerate(running):
            if not is_open[place] and len(results[k]) < beam:
                _cut_off(results[k], prefixes[place], totals[place], beam, length, length_penalty)
        kept = torch.tensor(is_open).nonzero()[:, 0]
        if len(kept) < len(running):
            totals, beams, tokens, prefixes = totals[kept], beams[kept], tokens[kept], prefixes[kept]
            running = [running[place] for place in kept.tolist()]
        model.keep(kept, beams)
    return [sorted(hypotheses, key=lambda hypothesis: -hypothesis.score) for hypotheses in results]


def length_factor(length: int, penalty: float) -> float:
    """What a log-probability is divided by to give a score."""
    return ((5 + length) / 6) ** penalty


def _best(totals: Tensor, each: Tensor, words: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The best continuations of each sequence: their log-probabilities, beams and tokens, the best first."""
    flat = (totals[..., None] + each).flatten(1)
    # No beam has more among the best of all than are given of it.
    reached, places = torch.sort(flat, dim=1, descending=True, stable=True)
    reached, places = reached[:, :count], places[:, :count]
    return reached, places // each.shape[2], words.flatten(1).gather(1, places)


def _collect(
    results: list[list[Hypothesis]],
    running: list[int],
    best: tuple[Tensor, Tensor, Tensor],
    prefixes: Tensor,
    end: int,
    beam: int,
    length: int,
    penalty: float,
) -> None:
    """Takes the sequences that end among the best; beyond the first `beam` a candidate is none of them."""
    reached, origins, words = (part[:, :beam] for part in best)
    for place, at in ((words == end) & reached.isfinite()).nonzero().tolist():
        hypotheses = results[running[place]]
        if len(hypotheses) < beam:
            total = float(reached[place, at])
            prefix = prefixes[place, int(origins[place, at])].tolist()
            hypotheses.append(Hypothesis(tuple(prefix), total, total / length_factor(length, penalty), True))


def _cut_off(
    hypotheses: list[Hypothesis], prefixes: Tensor, totals: Tensor, beam: int, length: int, penalty: float
) -> None:
    """Fills up with the prefixes of a sequence that has reached its longest length."""
    for prefix, total in zip(prefixes.tolist(), totals.tolist(), strict=True):
        if len(hypotheses) < beam and math.isfinite(total):
            hypotheses.append(Hypothesis(tuple(prefix), total, total / length_factor(length, penalty), False))
