"""The nouns of data: a Dataset of splits with their provenance, and the Batch that a model sees."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np

from gatework._stored import converted
from gatework.data.inputs import Inputs, SeriesInputs
from gatework.data.reading import Reading

if TYPE_CHECKING:
    import polars as pl
    import torch
    from torch import Tensor

Columns = Mapping[str, str | tuple[str, ...]]
"""Columns of a person's own table by role: "text" or "inputs" (in the order of time), "label" or "target"."""


def columns_from_state(columns: Any) -> Columns:
    """Columns by role from what JSON held.

    Raises:
        ValueError: They are none.
    """
    known: Columns = converted(columns, dict[str, str | tuple[str, ...]])
    return known


@dataclass(frozen=True)
class Provenance:
    """Where data came from.

    Attributes:
        source: The address, path or generator.
        licence: Its licence, or "yours" for a person's own data.
        fingerprint: SHA-256 of the content, in hexadecimal.
        notes: What a reader of a report should know, one sentence each (rows dropped, a known flaw).
    """

    source: str
    licence: str
    fingerprint: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Split:
    """One part of a dataset, before any encoding.

    Attributes:
        inputs: What the examples are read from: series, texts, or another kind of `gatework.data.inputs`. A plain array
            of shape (examples, time, input) is taken for series.
        targets: Values of shape (examples, output), float32, class indices of shape (examples,), int64, or texts of
            shape (examples,), object.
        beside: What else the person's own table says of each example, for predictions to stand beside; None where the
            examples are to be learnt from, or come from no table.
        weights: How many times each example counts while a network learns, shape (examples,), with a mean of 1; once
            if None.
    """

    inputs: Inputs
    targets: np.ndarray
    beside: pl.DataFrame | None = None
    weights: np.ndarray | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if type(self.inputs) is np.ndarray:
            object.__setattr__(self, "inputs", SeriesInputs.of(self.inputs))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found in the table that these were read from and how it was handled, one sentence each."""
        return ()

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, index: np.ndarray) -> Split:
        """The examples at these positions, shape (count,), in this order."""
        beside = None if self.beside is None else self.beside[index]
        weights = None if self.weights is None else self.weights[index]
        return Split(self.inputs[index], self.targets[index], beside, weights=weights)

    def table(self) -> pl.DataFrame:
        """The examples as the report reads them: "input" or "text", and "target"."""
        import polars as pl

        return pl.DataFrame({**self.inputs.columns(), "target": list(self.targets)})


@dataclass(frozen=True)
class Dataset:
    """Examples in three parts that never share one.

    Attributes:
        name: The data set's name, or the stem of a person's file.
        kind: What the inputs are: "series" or "text".
        train: What is learnt from, and the only part that vocabulary and scaling see.
        validation: What early stopping and the choice of weights see.
        test: What the reported figures are measured on.
        provenance: Where it came from.
        classes: The names of the classes, in the order of their indices; empty for regression.
        columns: The columns of the person's own table that were used, by role; empty for a registered data set.
        reading: How that table's texts became values, so that a newer table is read likewise.
    """

    name: str
    kind: str
    train: Split
    validation: Split
    test: Split
    provenance: Provenance
    classes: tuple[str, ...] = ()
    columns: Columns = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)

    @classmethod
    def of(cls, name: str, train: Split, validation: Split, test: Split, classes: tuple[str, ...] = ()) -> Dataset:
        """A data set of one's own, from parts that were made in Python.

        Args:
            name: What it is called.
            train: What is learnt from.
            validation: What early stopping sees.
            test: What the reported figures are measured on.
            classes: The names of the classes where the targets are their indices.
        """
        digest = hashlib.sha256()
        for part in (train, validation, test):
            for row in part.inputs.identities():
                digest.update(row if isinstance(row, bytes) else repr(row).encode())
            digest.update(np.ascontiguousarray(part.targets).tobytes())
        provenance = Provenance("made in Python", "yours", digest.hexdigest())
        return cls(name, train.inputs.kind, train, validation, test, provenance, classes)

    @property
    def trainings(self) -> tuple[Dataset, ...]:
        """What each training learns from, in the order of time: several where a network is trained again over time."""
        return (self,)

    @property
    def sampled(self) -> Dataset:
        """What simple methods are fitted to: the data; where the training part is larger than memory, a part of it."""
        return self

    @property
    def without_labels(self) -> tuple[Inputs, ...]:
        """What is learnt from besides the training part, without labels."""
        return ()

    @property
    def class_counts(self) -> np.ndarray:
        """How many training examples each class has, shape (classes,), int64."""
        return np.bincount(self.train.targets, minlength=len(self.classes))

    def limited(self, examples: int) -> Dataset:
        """The same data with at most that many examples in each part, evenly spread over it, for a quick look."""
        parts = {part: getattr(self, part) for part in ("train", "validation", "test")}
        kept = {name: part.take(spread(examples, len(part))) for name, part in parts.items()}
        return replace(self, **kept)


def spread(count: int, length: int) -> np.ndarray:
    """At most `count` positions below `length` at even distances, shape (count,): parts may be sorted by class."""
    count = min(count, length)
    return np.arange(count) * length // max(count, 1)


@dataclass(frozen=True)
class Batch:
    """What a model sees at once.

    Attributes:
        inputs: Token indices of shape (batch, time), int64, or values of shape (batch, time, input), float32.
        lengths: Steps of each sequence, shape (batch,), int64, on the CPU.
        targets: Class indices of shape (batch,), int64, or values of shape (batch, output), float32.
        weights: How many times each example counts, shape (batch,), float32; once if None.
        counts: The names of what stays on the CPU, as a scan reads there how long its sequences are.
    """

    counts: ClassVar[tuple[str, ...]] = ("lengths",)

    inputs: Tensor
    lengths: Tensor
    targets: Tensor
    weights: Tensor | None = field(default=None, kw_only=True)

    def tensors(self) -> dict[str, Tensor | None]:
        """What a network's `forward()` takes, by name and in the shapes of the attributes.

        The lengths are None where every sequence has all steps.
        """
        is_ragged = bool(len(self.lengths)) and int(self.lengths.min()) < self.inputs.shape[1]
        return {"inputs": self.inputs, "lengths": self.lengths if is_ragged else None}

    def to(self, device: torch.device) -> Self:
        """The batch on a device, but for its `counts`."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in self.counts}
        return replace(self, **{name: v.to(device) for name, v in values.items() if hasattr(v, "to")})

    def parts(self, count: int) -> list[Self]:
        """So many of its examples at a time, which are not copied."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        named = {name: value.split(count) for name, value in values.items() if value is not None}
        return [type(self)(**dict(zip(named, each, strict=True))) for each in zip(*named.values(), strict=True)]

    def following(self, carried: tuple[Tensor, ...]) -> Batch:
        """The batch as it goes on from what the one before has left; itself, where no example goes on from another.

        Args:
            carried: What the loss of the batch before gave as `Loss.carried`, in the shapes that the task chose.
        """
        return self


class Examples(Protocol):
    """Encoded examples, ready to be batched."""

    @property
    def split(self) -> Split:
        """The examples before encoding."""
        ...

    @property
    def lengths(self) -> np.ndarray:
        """Steps of each example, shape (examples,), int64: what bucketing by length sorts by."""
        ...

    def __len__(self) -> int: ...

    def batch(self, index: np.ndarray) -> Batch:
        """The examples at these positions, shape (batch,), as one batch."""
        ...


class SequenceExamples(Examples, Protocol):
    """Encoded examples of single sequences, which can be batched without torch."""

    def arrays(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The inputs and the lengths of the examples at these positions, shape (batch,), as `Batch` has them."""
        ...
