"""Words that are hidden behind placeholders in some training pairs, so that a network learns where placeholders go."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from gatework.data.subwords import PLACEHOLDERS
from gatework.decoding.lexicon import NOTHING, Lexicon
from gatework.tasks.translate.kept import Stretch, masked

_MOST_LEARNT = 30_000
_LEAST_SURE, _MOST_FREQUENT = 0.3, 0.02
_WRAPPED, _SECOND = 0.2, 0.3
_WORD = re.compile(r"\w+(?:['’]\w+)*['’]?")

Places = tuple[tuple[int, int], tuple[int, int]]
"""Where a word stands in a source, and where its translation stands."""


class Rehearsal:
    """For each pair of sentences the words that may be hidden: one on each side, which are each other's translation.

    Args:
        sources: The sentences, with placeholders where something is kept.
        targets: Their translations.
    """

    def __init__(self, sources: Sequence[str], targets: Sequence[str]) -> None:
        self.sources, self.targets = sources, targets
        dictionary = _dictionary(sources, targets)
        frequent = _frequent(sources) | _frequent(targets)
        rare = {word: said for word, said in dictionary.items() if not {word, said} & frequent}
        self._take(rare)
        if 2 * len(self._able) < len(sources):  # a language of few words
            self._take(dictionary)

    def _take(self, dictionary: dict[str, str]) -> None:
        self.places = [_places(*pair, dictionary) for pair in zip(self.sources, self.targets, strict=True)]
        self._able = np.flatnonzero([bool(places) for places in self.places])

    def hidden(self, share: float, random: np.random.Generator) -> dict[int, tuple[str, str]]:
        """Some of the pairs with placeholders, by position.

        Args:
            share: The share of all pairs that is changed.
            random: What chooses them.
        """
        count = min(round(share * len(self.sources)), len(self._able))
        chosen = random.choice(self._able, count, replace=False) if count else ()
        return {int(k): self._hidden(int(k), random) for k in chosen}

    def _hidden(self, at: int, random: np.random.Generator) -> tuple[str, str]:
        source, target, places = self.sources[at], self.targets[at], self.places[at]
        free = [letter for letter in PLACEHOLDERS if letter not in source]
        count = min(1 + int(random.random() < _SECOND), len(places), len(free) // 2)
        words = [places[k] for k in sorted(random.choice(len(places), count, replace=False))]
        marks = []
        for k, (one, other) in enumerate(words):
            first, second = free[2 * k : 2 * k + 2]
            is_wrapped = random.random() < _WRAPPED  # as a tag does: before the word and behind it
            if is_wrapped:
                marks += [(one[0], one[0], other[0], other[0], first), (one[1], one[1], other[1], other[1], second)]
            else:
                marks.append((*one, *other, first))
        return _written(source, [(m[0], m[1], m[4]) for m in marks]), _written(target, [m[2:5] for m in marks])


def _written(text: str, marks: Sequence[tuple[int, int, str]]) -> str:
    marks = sorted(marks)
    return masked(text, [Stretch(start, end, "") for start, end, _ in marks], [mark for *_, mark in marks]).text


def _dictionary(sources: Sequence[str], targets: Sequence[str]) -> dict[str, str]:
    """The words that are each other's likeliest translation."""
    lexicon = Lexicon.learnt(sources[:_MOST_LEARNT], targets[:_MOST_LEARNT])
    pairs, chances = lexicon.pairs, lexicon.probabilities
    order = np.lexsort((-chances, pairs[:, 0]))
    there = order[np.unique(pairs[order, 0], return_index=True)[1]]
    order = np.lexsort((-chances, pairs[:, 1]))
    back = order[np.unique(pairs[order, 1], return_index=True)[1]]
    mutual = np.intersect1d(there, back)
    mutual = mutual[(chances[mutual] >= _LEAST_SURE) & (pairs[mutual, 0] != NOTHING)]
    likeliest = {lexicon.sources[s]: lexicon.targets[t] for s, t in pairs[mutual].tolist()}
    return {source: target for source, target in likeliest.items() if source[0].isalpha() and target[0].isalpha()}


def _frequent(sentences: Sequence[str]) -> set[str]:
    counts = Counter(word for sentence in sentences for word in set(_WORD.findall(sentence)))
    return {word for word, count in counts.items() if count > max(_MOST_FREQUENT * len(sentences), 1)}


def _places(source: str, target: str, dictionary: dict[str, str]) -> list[Places]:
    """Where words stand that are in the dictionary, each once on its side."""
    there, back = _once(source), _once(target)
    return [(place, back[said]) for word, place in there.items() if (said := dictionary.get(word)) in back]


def _once(sentence: str) -> dict[str, tuple[int, int]]:
    words: dict[str, tuple[int, int] | None] = {}
    for match in _WORD.finditer(sentence):
        words[match[0]] = None if match[0] in words else match.span()
    return {word: place for word, place in words.items() if place is not None}
