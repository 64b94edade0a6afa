"""Documents cut into passages: the examples of a language model, in the order of the text."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gatework.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from gatework.data.dataset import Split

_LENGTH = 1000


@dataclass(frozen=True, eq=False)
class Passages:
    """Passages of documents, in order.

    Attributes:
        texts: The passages, a polars Series of strings.
        documents: The number of each passage's document, shape (passages,), int64.
        places: Its place in that document, counted from 0, int64; one is left out where a piece is missing.
        is_end: Whether its document ends with it, and so the end is to be predicted.
    """

    texts: pl.Series
    documents: np.ndarray
    places: np.ndarray
    is_end: np.ndarray

    @classmethod
    def of(
        cls, documents: Sequence[str], numbers: Sequence[int] | None = None, ends: Sequence[bool] | bool = True
    ) -> Passages:
        """Documents, or pieces of them, cut into passages.

        Args:
            documents: The texts, none of them empty.
            numbers: The number of each one's document, in order; counted from 0 if absent. Pieces of the same document
                do not follow each other.
            ends: Whether each ends where its text does, or goes on elsewhere.
        """
        import polars as pl

        numbers = range(len(documents)) if numbers is None else numbers
        ends = [ends] * len(documents) if isinstance(ends, bool) else ends
        texts: list[str] = []
        rows: list[tuple[int, int, bool]] = []
        for number, document, does_end in zip(numbers, documents, ends, strict=True):
            passages = cut(document)
            first = rows[-1][1] + 2 if rows and rows[-1][0] == number else 0
            texts += passages
            rows += [(number, first + k, does_end and k == len(passages) - 1) for k in range(len(passages))]
        owners, places, is_end = (np.array(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
        series = pl.Series("text", texts, dtype=pl.String)
        return cls(series, np.asarray(owners, np.int64), np.asarray(places, np.int64), np.asarray(is_end, bool))

    @classmethod
    def whole(cls, texts: Sequence[str]) -> Passages:
        """Each text as one passage, however long or short."""
        import polars as pl

        count = len(texts)
        series = pl.Series("text", list(texts), dtype=pl.String)
        return cls(series, np.arange(count), np.zeros(count, np.int64), np.zeros(count, bool))

    @property
    def kind(self) -> Literal["text"]:
        """What they are."""
        return "text"

    @property
    def follows(self) -> np.ndarray:
        """Whether each passage goes on where the one before it here ends."""
        if not len(self):
            return np.zeros(0, bool)
        goes_on = (np.diff(self.documents) == 0) & (np.diff(self.places) == 1)
        return np.concatenate([[False], goes_on])

    @property
    def characters(self) -> int:
        """How many there are in all."""
        return int(self.texts.str.len_chars().sum())

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, (int, np.integer)):
            return self.texts[int(index)]
        return Passages(self.texts.gather(index), self.documents[index], self.places[index], self.is_end[index])

    def identities(self) -> list[Hashable]:
        """The texts without their outer spaces."""
        return list(self.texts.str.strip_chars())

    def columns(self) -> dict[str, pl.Series | list[np.ndarray]]:
        """The columns "text" and "document"."""
        import polars as pl

        return {"text": self.texts, "document": pl.Series("document", self.documents)}

    def notes(self) -> tuple[str, ...]:
        """Nothing."""
        return ()


def passages_of(split: Split) -> Passages:
    """The inputs of examples that are passages.

    Raises:
        UsageError: They are something else.
    """
    if not isinstance(split.inputs, Passages):
        raise UsageError("the data hold no texts to go on with; train another task of them")
    return split.inputs


def cut(text: str, length: int = _LENGTH) -> list[str]:
    """A text in passages of at most so many characters, which end with a line, before a space, or anywhere."""
    passages, start = [], 0
    while len(text) - start > length:
        end, half = start + length, start + length // 2
        if (line := text.rfind("\n", half, end)) >= 0:
            end = line + 1
        elif (space := text.rfind(" ", half, end)) > start:
            end = space
        passages.append(text[start:end])
        start = end
    return [*passages, text[start:]] if start < len(text) else passages
