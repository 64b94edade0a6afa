"""What a task sees of a store: the same as of data in memory, but that an array is fetched and not held."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gatework.data.dataset import Dataset, Split, spread
from gatework.data.inputs import SeriesInputs
from gatework.data.series import Scale, SeriesEncoder
from gatework.data.store.examples import PackedSequences, PackedSeriesExamples, PackedTextExamples
from gatework.data.store.files import Store
from gatework.data.store.moments import Moments
from gatework.data.text import TextEncoder, Texts, Vocabulary
from gatework.data.tokens import Tokens
from gatework.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from gatework.options import DataOptions

SAMPLE = 100_000
"""The training examples that simple methods are fitted to where the others stay on disk."""
Targets = Callable[[np.ndarray], np.ndarray]
"""Turns targets into those of a loss."""


@dataclass(frozen=True)
class PackedInputs(ABC):
    """The inputs of a training part on disk.

    Attributes:
        store: The store.
    """

    store: Store

    @property
    @abstractmethod
    def kind(self) -> str:
        """What they are, such as "text"."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: Any) -> Any:
        """Those at several positions, in memory."""

    @abstractmethod
    def answers(self, index: np.ndarray) -> np.ndarray:
        """The labels, by their first rows, or the targets of those at several positions, shape (positions,) both."""

    @abstractmethod
    def fitted(self, config: DataOptions) -> Any:
        """The encoder, learnt from what was counted while the store was packed."""

    @abstractmethod
    def encoded(self, split: PackedSplit, encoder: Any, targets: Targets) -> PackedSequences:
        """Examples ready to be batched."""

    @abstractmethod
    def about(self) -> str:
        """What they are, in a line for a person."""

    def identities(self) -> list[Hashable]:
        """Not asked for: equal examples were put into one part while the store was packed."""
        raise TypeError("the examples of a store are parted already")

    def columns(self) -> dict[str, pl.Series | list[np.ndarray]]:
        """Those of all of them, in memory, of the shape that those of some have."""
        columns: dict[str, pl.Series | list[np.ndarray]] = self[np.arange(len(self))].columns()
        return columns

    def notes(self) -> tuple[str, ...]:
        """Nothing; what was found stands in the provenance."""
        return ()


class PackedTexts(PackedInputs):
    """Texts on disk, as tokens.

    `tokens` are positions in `words`, `starts` is where each text begins, and the end, `answers` what is known of each.
    """

    @property
    def kind(self) -> Literal["text"]:
        """What they are."""
        return "text"

    def __len__(self) -> int:
        return len(self.store.arrays["starts"]) - 1

    @cached_property
    def words(self) -> pl.DataFrame:
        """Every word of the training part, in the order of its first text, and how often it occurs: "word", "count"."""
        import polars as pl

        return pl.read_parquet(self.store.folder / "words.parquet", glob=False)

    def __getitem__(self, index: np.ndarray) -> Texts:
        """The texts at these positions as their tokens with blanks between: what was between them is not kept."""
        import polars as pl

        tokens = self.store.arrays["tokens"]
        starts, ends = self.bounds(index)
        types, ids = np.unique(tokens.spans(starts, ends - starts), return_inverse=True)
        words = self.words["word"].gather(types)
        order = words.arg_sort().to_numpy()
        places = np.argsort(order)
        ids, lengths = places[ids].astype(np.int32), ends - starts
        cut = Tokens(words.gather(order).rename("token"), ids, np.cumsum(lengths) - lengths, lengths)
        strings = [" ".join(cut.words(k)) for k in range(len(cut))]
        return Texts.with_tokens(pl.Series("text", strings, dtype=pl.String), cut)

    def bounds(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the tokens of the texts at these positions begin and end, each of shape (texts,)."""
        starts, ends = self.store.arrays["starts"].spans(index, np.full(len(index), 2)).reshape(-1, 2).T
        return starts, ends

    def answers(self, index: np.ndarray) -> np.ndarray:
        """What is known of the texts at these positions, shape (texts,)."""
        return self.store.arrays["answers"][index]

    def fitted(self, config: DataOptions) -> TextEncoder:
        """The encoder with the most frequent words."""
        if config.pairs:
            raise UsageError("--pairs is of texts in memory, and these are read from a store; give --pairs 0")
        known = self.words.filter(self.words["word"] != "").sort("count", "word", descending=[True, False])
        words = tuple(known["word"].head(config.vocabulary))
        return TextEncoder(Vocabulary(words), config.max_tokens, config.padding)

    def encoded(self, split: PackedSplit, encoder: Any, targets: Targets) -> PackedTextExamples:
        """Examples ready to be batched."""
        lookup = encoder.vocabulary.indices(self.words["word"].to_list())
        return PackedTextExamples(split, targets, self.bounds, self.store.arrays["tokens"], lookup, encoder)

    def about(self) -> str:
        """How many tokens they have."""
        count = len(self.store.arrays["tokens"])
        return f"texts of {count / max(len(self), 1):,.0f} words on average, {count:,} in all, read from the disk"


def with_answers(values: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Series with what is known of each in the same row, bit by bit, so that one read of the disk gives both.

    Args:
        values: Shape (series, steps).
        answers: Labels, int32, or targets, float64, shape (series,).
    """
    wide = answers.astype(np.int64) if answers.itemsize < values.itemsize else answers
    return np.concatenate([values, wide.view(values.dtype).reshape(len(values), -1)], axis=1)


class PackedSeries(PackedInputs):
    """Series of one length and one variable on disk: one of `rows` each, as `with_answers()` makes them."""

    @property
    def kind(self) -> Literal["series"]:
        """What they are."""
        return "series"

    def __len__(self) -> int:
        return len(self.store.arrays["rows"])

    @property
    def steps(self) -> int:
        """The steps of each."""
        return len(self.store.about["columns"]["inputs"])

    def read(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The series at these positions, shape (examples, time), and what is known of each."""
        rows, steps = self.store.arrays["rows"][index], self.steps
        kind = np.dtype(f"i{rows.itemsize}") if "classes" in self.store.about else np.dtype(np.float64)
        return rows[:, :steps], np.ascontiguousarray(rows[:, steps:]).view(kind)[:, 0]

    def __getitem__(self, index: np.ndarray) -> SeriesInputs:
        """The series at these positions, shape (examples, time, 1), float64."""
        return SeriesInputs.of(self.read(index)[0].astype(np.float64)[..., np.newaxis])

    def answers(self, index: np.ndarray) -> np.ndarray:
        """What is known of the series at these positions, shape (series,)."""
        return self.read(index)[1]

    def fitted(self, config: DataOptions) -> SeriesEncoder:
        """The encoder with the scale."""
        return SeriesEncoder(Moments.from_state(self.store.about["inputs"]).scale(is_scaled=config.scale))

    def encoded(self, split: PackedSplit, encoder: Any, targets: Targets) -> PackedSeriesExamples:
        """Examples ready to be batched."""
        return PackedSeriesExamples(split, targets, self.read, self.steps, encoder)

    def about(self) -> str:
        """How long they are."""
        return f"series of {self.steps:,} steps and 1 variable, read from the disk"


class PackedSplit(Split):
    """A training part on disk; its targets are fetched with a batch."""

    inputs: PackedInputs

    def __init__(self, inputs: PackedInputs) -> None:
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "beside", None)

    @property
    def store(self) -> Store:
        """The store."""
        return self.inputs.store

    def __len__(self) -> int:
        return len(self.inputs)

    def targets_at(self, index: np.ndarray) -> np.ndarray:
        """The targets of the examples at these positions: class indices, or values of shape (examples, 1)."""
        return self.targets_of(self.inputs.answers(index))

    def targets_of(self, answers: np.ndarray) -> np.ndarray:
        """The targets that answers of shape (examples,) stand for: classes of that shape, or values (examples, 1)."""
        if (order := self.store.about.get("classes")) is not None:
            return np.array(order, dtype=np.int64)[answers]
        return answers[:, np.newaxis]

    @cached_property
    def targets(self) -> np.ndarray:
        """All of them, in memory, in the shape of `targets_of()`; what trains asks for those of a batch."""
        return self.targets_at(np.arange(len(self)))

    def encoded(self, encoder: Any, targets: Targets) -> PackedSequences:
        """Examples ready to be batched."""
        return self.inputs.encoded(self, encoder, targets)

    def target_scale(self, *, is_scaled: bool) -> Scale:
        """The scale of the targets, as `Scale.learnt()` of data in memory."""
        return Moments.from_state(self.store.about["target"]).scale(is_scaled=is_scaled)

    def take(self, index: np.ndarray) -> Split:
        """The examples at these positions, shape (count,), in memory."""
        return Split(self.inputs[index], self.targets_at(index))

    def table(self) -> pl.DataFrame:
        """The examples as the report reads them, in memory."""
        return self.take(np.arange(len(self))).table()


def sample_places(count: int) -> np.ndarray:
    """The places of the training examples, of so many, that simple methods are fitted to, shape (places,), int64."""
    return spread(SAMPLE, count)


@dataclass(frozen=True)
class PackedDataset(Dataset):
    """A Dataset whose training part stays on disk."""

    train: PackedSplit = field()

    @cached_property
    def sampled(self) -> Dataset:
        """The same data with some of the training examples, evenly spread over all, in memory."""
        train = self.train.take(sample_places(len(self.train)))
        kept = {name: getattr(self, name) for name in Dataset.__dataclass_fields__}
        return Dataset(**kept | {"train": train})

    @property
    def class_counts(self) -> np.ndarray:
        """How many training examples each class has, shape (classes,), as counted while the store was packed."""
        counts = np.zeros(len(self.classes), dtype=np.int64)
        about = self.train.store.about
        counts[np.array(about["classes"], dtype=np.int64)] = about["counts"]
        return counts

    def limited(self, examples: int) -> Dataset:
        """The same data with at most that many examples in each part, in memory."""
        return replace(self.sampled, train=self.train.take(spread(examples, len(self.train)))).limited(examples)
