"""Texts as a network writes them: letters of one case, single spaces, nothing that makes no sound."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

BLANK = 0
"""The index that says that a step brings no new letter."""
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
    """The letters that a network writes; their indices begin at 1, behind the blank.

    Attributes:
        letters: In the order of their code points; the space is among them where a text has one.
    """

    letters: tuple[str, ...]
    _index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {letter: place for place, letter in enumerate(self.letters, start=1)})

    @classmethod
    def of(cls, texts: Iterable[str]) -> Alphabet:
        """The letters of these texts."""
        return cls(tuple(sorted({letter for text in texts for letter in text})))

    def __len__(self) -> int:
        return len(self.letters) + 1

    def indices(self, text: str) -> np.ndarray:
        """A text's letters, int64; those that the alphabet does not have are left out."""
        known = [index for letter in text if (index := self._index.get(letter)) is not None]
        return np.array(known, dtype=np.int64)

    def text(self, indices: Sequence[int] | np.ndarray) -> str:
        """The text of letters."""
        return "".join(self.letters[int(index) - 1] for index in indices)


def steps_needed(indices: np.ndarray) -> int:
    """The fewest steps that CTC can write a text in: one a letter, and one between equal neighbours."""
    return len(indices) + int((indices[1:] == indices[:-1]).sum())
