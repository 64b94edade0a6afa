"""Pieces that a sentence's translation is chosen from: those that IBM model 1 knows for its pieces, and frequent ones.

A search that weighs a tenth of the vocabulary reads a tenth of the output's weights at every step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gatework.data.subwords import END, Subwords
from gatework.decoding.lexicon import Lexicon

_FREQUENT = 200


class Shortlist:
    """The likeliest pieces of translations, piece by piece.

    Args:
        subwords: The pieces of both languages.
        sources: The sentences of pairs, with placeholders where something is kept.
        targets: Their translations.
    """

    def __init__(self, subwords: Subwords, sources: Sequence[str], targets: Sequence[str]) -> None:
        read, written = ([" ".join(map(str, row)) for row in subwords.encode(side)] for side in (sources, targets))
        lexicon = Lexicon.learnt(read, written)
        order = np.lexsort((-lexicon.probabilities, lexicon.pairs[:, 0]))
        self._targets = np.array(list(map(int, lexicon.targets)), dtype=np.int64)[lexicon.pairs[order, 1]]
        starts = np.searchsorted(lexicon.pairs[order, 0], np.arange(len(lexicon.sources) + 1))
        self._places = {int(s or -1): (starts[k], starts[k + 1]) for k, s in enumerate(lexicon.sources)}
        counts = np.bincount([number for row in written for number in map(int, row.split())], minlength=len(subwords))
        first = END + 1 + len(subwords.placeholders)
        single = np.array([k for k in range(first, len(subwords)) if len(subwords.pieces[k]) == 1])
        self._always = np.union1d(np.argsort(-counts, kind="stable")[:_FREQUENT], single)

    def of(self, pieces: Sequence[int], count: int) -> np.ndarray:
        """The pieces for one sentence.

        Args:
            pieces: The sentence's pieces.
            count: The likeliest pieces of translations that are taken for each.
        """
        likely = [self._targets[start : min(start + count, end)] for start, end in map(self._place, pieces)]
        return np.unique(np.concatenate([self._always, np.array(pieces, dtype=np.int64), *likely]))

    def _place(self, piece: int) -> tuple[int, int]:
        return self._places.get(piece, (0, 0))
