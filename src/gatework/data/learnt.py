"""Examples that a network was made from, known again by their hashes: a measure on them flatters it."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gatework.data.inputs import Inputs
from gatework.formatting import counted

if TYPE_CHECKING:
    import polars as pl

MOST = 1 << 14
"""Of more examples those with the smallest hashes are kept, which are as good as drawn at random."""
_ALL = np.iinfo(np.uint64).max
_SAID = 0.01
_COLUMN = "hash"


@dataclass(frozen=True, eq=False)
class LearntExamples:
    """The hashes of examples.

    Attributes:
        hashes: The smallest of them, sorted, shape (kept,), uint64.
    """

    hashes: np.ndarray

    @classmethod
    def of(cls, parts: Iterable[Inputs]) -> LearntExamples:
        """Those of all examples of some parts."""
        hashes = np.unique(np.concatenate([_hashes(inputs.identities()) for inputs in parts]))
        return cls(hashes[:MOST])

    @classmethod
    def from_table(cls, table: pl.DataFrame) -> LearntExamples:
        """The one whose `table()` this is.

        Raises:
            ValueError: It holds no hashes.
        """
        if table.columns != [_COLUMN] or str(table[_COLUMN].dtype) != "UInt64" or table[_COLUMN].null_count():
            raise ValueError("it holds no hashes of examples")
        return cls(np.unique(table[_COLUMN].to_numpy()))

    def table(self) -> pl.DataFrame:
        """The hashes as a run keeps them."""
        import polars as pl

        return pl.DataFrame({_COLUMN: self.hashes})

    def recount(self) -> Recount:
        """A new count of examples that are known again."""
        return Recount(self)


class Recount:
    """How many examples, which may come part by part, are among those that were learnt from.

    Args:
        learnt: Those.
    """

    def __init__(self, learnt: LearntExamples) -> None:
        self._hashes = learnt.hashes
        self._bound = learnt.hashes[-1] if len(learnt.hashes) >= MOST else _ALL
        self._asked = self._looked_at = self._known = 0

    def add(self, inputs: Inputs) -> None:
        """Counts a part."""
        hashes = _hashes(inputs.identities())
        self._asked += len(hashes)
        # Whether larger ones were learnt from is not known where not all were kept.
        hashes = hashes[hashes <= self._bound]
        self._looked_at += len(hashes)
        self._known += int(np.isin(hashes, self._hashes).sum())

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of a measure on these examples; nothing where they are as good as new."""
        if self._known < _SAID * self._looked_at or not self._known:
            return ()
        count = round(self._asked * self._known / self._looked_at)
        about = "" if self._looked_at == self._asked else "About "
        return (
            f"{about}{count:,} of these {counted(self._asked, 'example')} stood in the run's own training or "
            "validation part, so that the figures flatter it; without FILE, evaluate shows its test part.",
        )


def _hashes(identities: Sequence[Hashable]) -> np.ndarray:
    digests = b"".join(hashlib.blake2b(_content(each), digest_size=8).digest() for each in identities)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def _content(identity: Hashable) -> bytes:
    return identity if isinstance(identity, bytes) else str(identity).encode("utf-8", "surrogatepass")
