"""Beam search against the search of every sequence there is."""

import itertools
import math

import numpy as np
import pytest

from gatework.decoding.beam import beam_search, length_factor

BEGIN, END, WORDS = 0, 1, 4


class Table:
    """Log-probabilities of the next token by sequence and by the tokens so far, as a plain table has them."""

    def __init__(self, sequences: int, beam: int, seed: int = 0) -> None:
        self.tables = [np.random.default_rng((seed, k)) for k in range(sequences)]
        self.seeds = [(seed, k) for k in range(sequences)]
        self.prefixes = [[() for _ in range(beam)] for _ in range(sequences)]

    def logs(self, sequence: tuple[int, int], prefix: tuple[int, ...]) -> np.ndarray:
        values = np.random.default_rng((*sequence, *prefix)).normal(size=WORDS) * 1.5
        values[BEGIN] = -math.inf
        return values - np.logaddexp.reduce(values)

    penalties = None

    def best(self, tokens: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        rows = tokens.tolist()
        self.prefixes = [
            [(*prefix, token) for prefix, token in zip(beams, row, strict=True)]
            for beams, row in zip(self.prefixes, rows, strict=True)
        ]
        logs = [[self.logs(seed, p) for p in beams] for seed, beams in zip(self.seeds, self.prefixes, strict=True)]
        words = np.argsort(-np.array(logs), axis=2, kind="stable")[..., :count]
        return np.take_along_axis(np.array(logs), words, 2), words

    def keep(self, sequences: np.ndarray, beams: np.ndarray) -> None:
        chosen = zip(sequences.tolist(), beams.tolist(), strict=True)
        self.prefixes = [[self.prefixes[s][b] for b in row] for s, row in chosen]
        self.seeds = [self.seeds[s] for s in sequences.tolist()]


def every_sequence(table: Table, sequence: tuple[int, int], longest: int, penalty: float) -> list[tuple[float, tuple]]:
    """Every sequence that ends within so many tokens, with its score, the best first."""
    found = []
    for length in range(longest):
        for words in itertools.product(range(2, WORDS), repeat=length):
            prefix, total = (BEGIN,), 0.0
            for token in (*words, END):
                total += table.logs(sequence, prefix)[token]
                prefix = (*prefix, token)
            found.append((total / length_factor(length + 1, penalty), words))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_beam_as_wide_as_all_beginnings_finds_the_best_sequence_of_all(penalty):
    longest, beam = 4, 64
    table = Table(3, beam)
    found = beam_search(table, [longest] * 3, begin=BEGIN, end=END, beam=beam, length_penalty=penalty)
    for k, hypotheses in enumerate(found):
        best = every_sequence(table, (0, k), longest, penalty)
        complete = [h for h in hypotheses if h.is_complete]
        assert [h.tokens for h in complete[:5]] == [words for _, words in best[:5]]
        assert [h.score for h in complete[:5]] == pytest.approx([score for score, _ in best[:5]], abs=1e-6)


class Penalised(Table):
    """The same table where every word 2 of a prefix costs."""

    COST = 0.3

    def best(self, tokens: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        found = super().best(tokens, count)
        self.penalties = np.array([[self.COST * prefix.count(2) for prefix in beams] for beams in self.prefixes])
        return found


def test_what_a_prefix_is_penalised_by_is_taken_from_its_score():
    plain, penalised = (
        beam_search(table, [4], begin=BEGIN, end=END, beam=64, length_penalty=1.0)[0]
        for table in (Table(1, 64), Penalised(1, 64))
    )
    scores = {h.tokens: h.score for h in plain if h.is_complete}
    complete = [h for h in penalised if h.is_complete]
    assert len(complete) == len(scores) > 10
    for h in complete:
        assert h.score == pytest.approx(scores[h.tokens] - Penalised.COST * h.tokens.count(2))
    assert [h.score for h in penalised] == sorted((h.score for h in penalised), reverse=True)


def test_a_beam_of_one_takes_the_likeliest_token_each_time():
    table = Table(5, 1)
    found = beam_search(table, [6] * 5, begin=BEGIN, end=END)
    for k, (hypothesis,) in enumerate(found):
        prefix: tuple[int, ...] = (BEGIN,)
        while len(prefix) <= 6 and prefix[-1] != END:
            prefix = (*prefix, int(np.argmax(table.logs((0, k), prefix))))
        assert hypothesis.tokens == tuple(token for token in prefix[1:] if token != END)
        assert hypothesis.is_complete == (prefix[-1] == END)


def test_sequences_together_are_found_as_each_alone():
    limits = [1, 5, 3, 8]
    together = beam_search(Table(4, 3), limits, begin=BEGIN, end=END, beam=3)
    for k, limit in enumerate(limits):
        alone = Table(4, 3)
        alone.seeds, alone.prefixes = [(0, k)], [[(), (), ()]]
        assert beam_search(alone, [limit], begin=BEGIN, end=END, beam=3)[0] == together[k]


def test_no_sequence_is_longer_than_its_limit_and_each_has_as_many_hypotheses_as_beams():
    limits = [1, 2, 3, 9]
    found = beam_search(Table(4, 3), limits, begin=BEGIN, end=END, beam=3)
    assert [len(hypotheses) for hypotheses in found] == [3] * 4
    # One step ends or has said one word; what has not ended is cut off, and says so.
    assert sorted(h.tokens for h in found[0]) == [(), (2,), (3,)]
    for hypotheses, limit in zip(found, limits, strict=True):
        assert all(len(h.tokens) == limit for h in hypotheses if not h.is_complete)
        assert all(len(h.tokens) + h.is_complete <= limit for h in hypotheses)
        assert [h.score for h in hypotheses] == sorted((h.score for h in hypotheses), reverse=True)
        assert all(0 < h.confidence <= 1 for h in hypotheses)
