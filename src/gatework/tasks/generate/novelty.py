"""How much of a text stands, letter by letter, in the text that was learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

LENGTHS = (8, 16, 32, 64)
"""The lengths, in characters, of the runs that are looked for."""
# An odd number without structure: hashes are taken modulo 2^64.
_BASE = np.uint64(0x9E3779B97F4A7C15)
# Of a longer text the beginning is searched.
_MOST = 20_000_000


@dataclass(frozen=True)
class Novelty:
    """What is new in some texts.

    Attributes:
        shares: The share of runs of each of `LENGTHS` that do not stand in the training part; NaN where no text is so
            long.
        longest: The longest passage that does.
    """

    shares: tuple[float, ...]
    longest: str


class Learnt:
    """A text that was learnt from, ready to be searched.

    Args:
        text: The training part.
    """

    def __init__(self, text: str) -> None:
        self._text = text[:_MOST]

    @cached_property
    def _sums(self) -> np.ndarray:
        return _sums(self._text)

    def novelty(self, texts: Sequence[str]) -> Novelty:
        """What is new in these texts."""
        known = [self.is_known(texts, length) for length in LENGTHS]
        shares = tuple(1 - float(np.concatenate(k).mean()) if sum(map(len, k)) else float("nan") for k in known)
        return Novelty(shares, self._longest(texts))

    def is_known(self, texts: Sequence[str], length: int) -> list[np.ndarray]:
        """Whether the run of so many characters from each place of each text stands in the training part."""
        sorted_hashes = np.unique(_hashes(self._sums, length))
        known = []
        for text in texts:
            hashes = _hashes(_sums(text), length)
            places = np.minimum(np.searchsorted(sorted_hashes, hashes), max(len(sorted_hashes) - 1, 0))
            known.append(sorted_hashes[places] == hashes if len(sorted_hashes) else np.zeros(len(hashes), bool))
        return known

    def _longest(self, texts: Sequence[str]) -> str:
        """The longest run that stands in the training part, by bisection: each part of one stands there too."""
        low, high, best = 0, max(map(len, texts), default=0), ""
        while low < high:
            middle = (low + high + 1) // 2
            known = zip(texts, self.is_known(texts, middle), strict=True)
            places = [(text, int(is_known.argmax())) for text, is_known in known if is_known.any()]
            runs = [text[at : at + middle] for text, at in places if text[at : at + middle] in self._text]
            if runs:
                low, best = middle, runs[0]
            else:
                high = middle - 1
        return best


def marked(text: str, is_known: np.ndarray, length: int) -> list[tuple[str, bool]]:
    """A text in pieces, each with whether it stands in the training part as a run of so many characters at least."""
    covered = np.zeros(len(text) + 1, np.int64)
    starts = np.flatnonzero(is_known)
    np.add.at(covered, starts, 1)
    np.add.at(covered, starts + length, -1)
    inside = np.cumsum(covered)[:-1] > 0
    bounds = [0, *(np.flatnonzero(np.diff(inside)) + 1).tolist(), len(text)]
    return [(text[a:b], bool(inside[a])) for a, b in pairwise(bounds) if b > a]


def _sums(text: str) -> np.ndarray:
    """The hash of each beginning of a text: a polynomial of its code points."""
    points = np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64) + np.uint64(1)
    with np.errstate(over="ignore"):
        scaled = points * _powers(len(points))
        return np.concatenate([np.zeros(1, np.uint64), np.cumsum(scaled, dtype=np.uint64)])


def _hashes(sums: np.ndarray, length: int) -> np.ndarray:
    """The hash of the run of so many characters from each place: the same for the same run anywhere."""
    count = len(sums) - length
    if count <= 0 or length <= 0:
        return np.zeros(0, np.uint64)
    with np.errstate(over="ignore"):
        hashes: np.ndarray = (sums[length:] - sums[:-length]) * _powers(count, is_inverse=True)
    return hashes


def _powers(count: int, *, is_inverse: bool = False) -> np.ndarray:
    """The first powers of the base, or of its inverse modulo 2^64."""
    base = np.uint64(pow(int(_BASE), -1, 1 << 64)) if is_inverse else _BASE
    with np.errstate(over="ignore"):
        factors = np.full(max(count, 1), base)
        factors[0] = 1
        powers: np.ndarray = np.cumprod(factors, dtype=np.uint64)[:count]
    return powers
