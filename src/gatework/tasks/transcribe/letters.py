"""Texts as a network writes them: letters of one case, single spaces, nothing that makes no sound."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

BLANK = 0
"""The index that says that a step brings no new letter."""
# So few words, each in so many texts, are learnt as a whole and not letter by letter.
_MOST_WORDS, _FEWEST_TEXTS = 100, 10
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2019\u02bc\u2018\u00b4`", "'"))


def plain(text: str, case: str = "lower") -> str:
    """A text with letters, marks, digits and inner apostrophes only, and single spaces.

    Args:
        text: As a person wrote it.
        case: "lower" makes every letter small; "keep" does not.
    """
    text = unicodedata.normalize("NFC", text).translate(_APOSTROPHES)
    text = text.lower() if case == "lower" else text
    kept = "".join(letter if _is_said(letter) else " " for letter in text)
    return " ".join(stripped for word in kept.split() if (stripped := word.strip("'")))


def silent_signs(texts: Iterable[str]) -> Counter[str]:
    """Signs that `plain()` drops and that may well be said, as "%" or "&", with how often they stand there."""
    signs = Counter(sign for text in texts for sign in text)
    return Counter({s: n for s, n in signs.items() if unicodedata.category(s) in ("Sc", "Sm", "So") or s in "%&#@*/§"})


def has_digit(text: str) -> bool:
    """Whether a text has a digit, whose sound depends on more than itself."""
    return any(letter.isdigit() for letter in text)


def _is_said(letter: str) -> bool:
    return letter == "'" or unicodedata.category(letter)[0] in "LMN"


@dataclass(frozen=True)
class Alphabet:
    """What a network writes: letters, or whole words where there are few; indices begin at 1, behind the blank.

    Attributes:
        units: In the order of their code points; the space is among letters where a text has one.
        is_words: Whether they are words.
    """

    units: tuple[str, ...]
    is_words: bool = False

    @cached_property
    def _index(self) -> dict[str, int]:
        return {unit: place for place, unit in enumerate(self.units, start=1)}

    @classmethod
    def of(cls, texts: Sequence[str], units: str = "letters") -> Alphabet:
        """The units of these texts.

        Args:
            texts: Plain texts.
            units: "letters", "words", or "auto": words where there are few and each stands in several texts.
        """
        if units == "auto":
            heard_in = Counter(word for text in texts for word in set(text.split()))
            is_few = 0 < len(heard_in) <= _MOST_WORDS and min(heard_in.values()) >= _FEWEST_TEXTS
            units = "words" if is_few else "letters"
        is_words = units == "words"
        return cls(tuple(sorted({unit for text in texts for unit in (text.split() if is_words else text)})), is_words)

    def __len__(self) -> int:
        return len(self.units) + 1

    @property
    def between(self) -> str:
        """What stands between two units of a text."""
        return " " if self.is_words else ""

    def indices(self, text: str) -> np.ndarray:
        """A text's units, int64; those that the alphabet does not have are left out."""
        known = (self._index.get(unit) for unit in (text.split() if self.is_words else text))
        return np.array([index for index in known if index is not None], dtype=np.int64)

    def text(self, indices: Sequence[int] | np.ndarray) -> str:
        """The text of units, without outer or double spaces."""
        return " ".join(self.between.join(self.units[int(index) - 1] for index in indices).split())


def steps_needed(indices: np.ndarray) -> int:
    """The fewest steps that CTC can write a text in: one a unit, and one between equal neighbours."""
    return len(indices) + int((indices[1:] == indices[:-1]).sum())
