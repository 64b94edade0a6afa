r"""IBM model 1 (Brown et al. 1993): which word goes with which, learnt from pairs of sentences alone.

Every word $f$ of one side comes from a word $e$ of the other, or from none, all places being alike. Expectation
maximisation learns $t(f \mid e)$ from how often words stand in the same pairs:

$$t(f \mid e) \propto \sum_{\text{pairs}} \frac{t(f \mid e)}{\sum_{e'} t(f \mid e')} .$$
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

NOTHING = 0
"""The index of the word that stands for "no word"."""
_ROUNDS = 6
_WORDS = re.compile(r"\w+(?:['’]\w+)*['’]?|[^\w\s]")
_GLUED_BEFORE = re.compile(r"\s+([.,!?;:…)\]}%»”])")
_GLUED_AFTER = re.compile(r"([(\[{«“¿¡])\s+")


def words_of(sentence: str) -> list[str]:
    """Words and marks, as they are written; an apostrophe stays with the word before it."""
    return _WORDS.findall(sentence)


def joined(words: Sequence[str]) -> str:
    """Words and marks as a sentence."""
    return _GLUED_AFTER.sub(r"\1", _GLUED_BEFORE.sub(r"\1", " ".join(words)))


@dataclass(frozen=True, eq=False)
class Lexicon:
    """The words of two languages and how likely each goes with each.

    Attributes:
        sources: The source's words; the first stands for no word.
        targets: The target's words.
        pairs: The pairs of words that stand in one pair of sentences, as positions in both, sorted, shape (pairs, 2).
        probabilities: $t(\text{target} \\mid \text{source})$ of each, shape (pairs,).
    """

    sources: Sequence[str]
    targets: Sequence[str]
    pairs: np.ndarray
    probabilities: np.ndarray

    @classmethod
    def learnt(cls, sources: Sequence[str], targets: Sequence[str], rounds: int = _ROUNDS) -> Lexicon:
        """Learns from pairs of sentences.

        Args:
            sources: The sentences of the one side.
            targets: Those of the other, in the same order.
            rounds: Rounds of expectation maximisation.
        """
        source_ids, source_counts, source_words = _numbered(sources, [""])
        target_ids, target_counts, target_words = _numbered(targets, [])
        source_ids, source_counts = _with_nothing(source_ids, source_counts)
        # Every word of one side beside every word of the other, pair of sentences by pair of sentences.
        cells = source_counts * target_counts
        within = np.arange(cells.sum()) - np.repeat(np.cumsum(cells) - cells, cells)
        widths = np.repeat(np.maximum(source_counts, 1), cells)
        at_target = np.repeat(np.cumsum(target_counts) - target_counts, cells) + within // widths
        at_source = np.repeat(np.cumsum(source_counts) - source_counts, cells) + within % widths
        keys = source_ids[at_source] * max(len(target_words), 1) + target_ids[at_target]
        kept, pair = np.unique(keys, return_inverse=True)
        pairs = np.stack(np.divmod(kept, max(len(target_words), 1)), axis=1).astype(np.int64)
        weights = np.ones(len(kept))
        for _ in range(rounds):
            each = weights[pair]
            shares = each / np.bincount(at_target, each, minlength=len(target_ids))[at_target]
            counts = np.bincount(pair, shares, minlength=len(kept))
            weights = counts / np.bincount(pairs[:, 0], counts, minlength=len(source_words))[pairs[:, 0]]
        return cls(source_words, target_words, pairs, weights)

    def __len__(self) -> int:
        return len(self.pairs)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {word: position for position, word in enumerate(self.sources)}

    @cached_property
    def _targets(self) -> dict[str, int]:
        return {word: position for position, word in enumerate(self.targets)}

    @cached_property
    def _best(self) -> tuple[np.ndarray, np.ndarray]:
        """The likeliest target of each source word and its probability."""
        order = np.lexsort((-self.probabilities, self.pairs[:, 0]))
        firsts = order[np.unique(self.pairs[order, 0], return_index=True)[1]]
        best, chances = np.full(len(self.sources), -1), np.zeros(len(self.sources))
        best[self.pairs[firsts, 0]], chances[self.pairs[firsts, 0]] = self.pairs[firsts, 1], self.probabilities[firsts]
        return best, chances

    def translated(self, sentence: str) -> tuple[str, float]:
        """A sentence word by word, unknown words as they are, and the mean probability of its words."""
        words, chances = [], []
        best, probabilities = self._best
        for word in words_of(sentence):
            at = self._index.get(word, self._index.get(word.lower(), NOTHING))
            is_known = at != NOTHING and best[at] >= 0
            words.append(self.targets[best[at]] if is_known else word)
            chances.append(probabilities[at] if is_known else 0.0)
        return joined(words), float(np.mean(chances)) if chances else 0.0

    def probability(self, source: str, target: str) -> float:
        """$t(\\text{target} \\mid \\text{source})$; 0 where the two never stood together."""
        return self._probability(self._index.get(source, -1), target)

    def alignment(self, sources: Sequence[str], targets: Sequence[str]) -> list[list[float]]:
        """For every target word how likely it comes from each source word, by the lexicon alone.

        Returns:
            A row for each target word; what is left to 1 goes to no word. Rows of unknown words are zero.
        """
        rows = []
        for target in targets:
            chances = [self.probability(source, target) for source in sources]
            total = sum(chances) + self._probability(NOTHING, target)
            rows.append([chance / total if total else 0.0 for chance in chances])
        return rows

    def _probability(self, source: int, target: str) -> float:
        at = self._targets.get(target, -1)
        if source < 0 or at < 0:
            return 0.0
        low, high = np.searchsorted(self.pairs[:, 0], [source, source + 1])
        place = low + np.searchsorted(self.pairs[low:high, 1], at)
        return float(self.probabilities[place]) if place < high and self.pairs[place, 1] == at else 0.0


def _numbered(sentences: Sequence[str], first: list[str]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The words of all sentences as numbers, how many each has, and the words by number."""
    numbers = {word: position for position, word in enumerate(first)}
    lists = [words_of(sentence) for sentence in sentences]
    ids = [numbers.setdefault(word, len(numbers)) for words in lists for word in words]
    return np.array(ids, dtype=np.int64), np.array([len(words) for words in lists], dtype=np.int64), list(numbers)


def _with_nothing(ids: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every sentence with the word for "no word" in front."""
    starts = np.cumsum(counts) - counts
    return np.insert(ids, starts, NOTHING), counts + 1
