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
_COLUMN, _LABELLED = "hash", "is_labelled"


@dataclass(frozen=True, eq=False)
class LearntExamples:
    """The hashes of examples.

    Attributes:
        hashes: The smallest of them, sorted, shape (kept,), uint64.
        is_labelled: Whether each stood in the training or validation part, and not among texts without labels.
    """

    hashes: np.ndarray
    is_labelled: np.ndarray

    @classmethod
    def of(cls, parts: Iterable[Inputs], without_labels: Iterable[Inputs] = ()) -> LearntExamples:
        """Those of all examples of some parts, and of texts that were learnt from without labels."""
        labelled, others = (
            np.concatenate([np.zeros(0, np.uint64), *(_hashes(inputs.identities()) for inputs in group)])
            for group in (parts, without_labels)
        )
        hashes = np.unique(np.concatenate([labelled, others]))[:MOST]
        return cls(hashes, np.isin(hashes, labelled))

    @classmethod
    def from_table(cls, table: pl.DataFrame) -> LearntExamples:
        """The one whose `table()` this is.

        Raises:
            ValueError: It holds no hashes.
        """
        types = {name: str(dtype) for name, dtype in table.schema.items()}
        if types != {_COLUMN: "UInt64", _LABELLED: "Boolean"} or any(column.null_count() for column in table):
            raise ValueError("it holds no hashes of examples")
        table = table.unique(_COLUMN).sort(_COLUMN)
        return cls(table[_COLUMN].to_numpy(), table[_LABELLED].to_numpy())

    def table(self) -> pl.DataFrame:
        """The hashes as a run keeps them."""
        import polars as pl

        return pl.DataFrame({_COLUMN: self.hashes, _LABELLED: self.is_labelled})

    def recount(self) -> Recount:
        """A new count of examples that are known again."""
        return Recount(self)


class Recount:
    """How many examples, which may come part by part, are among those that were learnt from.

    Args:
        learnt: Those.
    """

    def __init__(self, learnt: LearntExamples) -> None:
        self._learnt = learnt
        self._bound = learnt.hashes[-1] if len(learnt.hashes) >= MOST else _ALL
        self._asked = self._looked_at = self._labelled = self._unlabelled = 0

    def add(self, inputs: Inputs) -> None:
        """Counts a part."""
        hashes = _hashes(inputs.identities())
        self._asked += len(hashes)
        # Whether larger ones were learnt from is not known where not all were kept.
        hashes = hashes[hashes <= self._bound]
        self._looked_at += len(hashes)
        labelled = int(np.isin(hashes, self._learnt.hashes[self._learnt.is_labelled]).sum())
        self._labelled += labelled
        self._unlabelled += int(np.isin(hashes, self._learnt.hashes).sum()) - labelled

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of a measure on these examples; nothing where they are as good as new."""
        places = (
            (self._labelled, "in the run's own training or validation part"),
            (self._unlabelled, "among the texts without labels that it learnt from"),
        )
        about = "" if self._looked_at == self._asked else "About "
        said = [
            f"{about}{round(self._asked * known / self._looked_at):,} of these {counted(self._asked, 'example')} stood "
            f"{where}, so that the figures flatter it; without FILE, evaluate shows its test part."
            for known, where in places
            if known and known >= _SAID * self._looked_at
        ]
        return tuple(said)


def _hashes(identities: Sequence[Hashable]) -> np.ndarray:
    digests = b"".join(hashlib.blake2b(_content(each), digest_size=8).digest() for each in identities)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def _content(identity: Hashable) -> bytes:
    return identity if isinstance(identity, bytes) else str(identity).encode("utf-8", "surrogatepass")
