"""One pass over a person's table into a store: examples are parted, counted and written as they go by.

Which part an example belongs to hangs on its content alone, so that equal ones stand in one part. The validation and
the test part are held in memory, and so have at most so many examples; all others are learnt from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from gatework.data.dataset import Columns, Provenance, Split, columns_from_state
from gatework.data.numbers import plain_texts
from gatework.data.own import Answer, chosen_columns, classes_of, decided, examples_of
from gatework.data.reading import Reading
from gatework.data.store.files import ArrayWriter, Store, write_index
from gatework.data.store.inputs import (
    PackedDataset,
    PackedInputs,
    PackedSeries,
    PackedSplit,
    PackedTexts,
    sample_places,
    with_answers,
)
from gatework.data.store.moments import Moments
from gatework.data.store.shuffle import mixed
from gatework.data.store.sources import TableSource, source_key, table_on_disk
from gatework.data.tables import Table
from gatework.data.tokens import tokenise
from gatework.errors import DataError, UsageError

if TYPE_CHECKING:
    from gatework.options import DataOptions

HELD = 100_000
"""The most examples that the validation part and the test part each aim at."""
_MOST_WORDS = 1_000_000
"""Words that first come after so many others count as unknown: they are rare, and a table of them has no end."""
_MOST_CLASSES = 10_000
_TEXTS = 8192
"""Texts that are cut into tokens at once."""
_TRAIN, _VALIDATION, _TEST = range(3)


def packed_dataset(source: Any, config: DataOptions, answer: Answer) -> PackedDataset:
    """A table as a dataset whose training part stays on disk; packed now, or opened where it has been.

    Args:
        source: The path of a table or of a folder of Parquet files.
        config: Columns, shares, seed, and the folder of the store.
        answer: Whether a "label" or a "target" is to be predicted.

    Raises:
        UsageError: A column must be named, or the store's folder holds something else.
        DataError: The data are not what was expected.
    """
    if config.test_file is not None:
        raise UsageError("--test-file does not go with --store; the test part is a part of the table")
    read = TableSource.of(table_on_disk(source), Reading.given(config))
    names = ("text", "label", "target", "validation", "test", "split_seed", "decimal")
    settings = {name: getattr(config, name) for name in names} | {"answer": answer}
    key = source_key(read, settings)
    store = Store.kept(config.store, key, lambda folder: _pack(read, config, answer, folder, key), "data")
    return _dataset(store, read)


def _dataset(store: Store, source: TableSource) -> PackedDataset:
    about = store.about
    columns = columns_from_state(about["columns"])
    reading, classes = Reading.from_state(about["reading"]), tuple(about["names"])

    def held(part: str) -> Split:
        frame, where = pl.read_parquet(store.folder / f"{part}.parquet", glob=False), f"{store.folder / part}.parquet"
        table = Table(frame, where, source.name, lambda position: f"row {position + 1:,}", "", reading)
        return examples_of(table, columns, classes)

    inputs: PackedInputs = PackedTexts(store) if "text" in columns else PackedSeries(store)
    train = PackedSplit(inputs)
    kept = (
        f"The {len(train):,} training examples are read from the store {store.folder}; simple methods are fitted to "
        f"{len(sample_places(len(train))):,} of them, evenly spread."
    )
    provenance = Provenance(source.where, "yours", store.fingerprint, (*about["notes"], kept))
    kind = "text" if "text" in columns else "series"
    validation, test = held("validation"), held("test")
    return PackedDataset(source.name, kind, train, validation, test, provenance, classes, columns, reading)


def _pack(source: TableSource, config: DataOptions, answer: Answer, folder: Path, key: str) -> None:
    """Writes a store into a folder."""
    packer = _Packer(source, config, answer, folder)
    for part in source.parts():
        packer.add(part)
    packer.finish(key)


@dataclass
class _Words:
    """The words of the training part, numbered as they come."""

    numbers: dict[str, int] = field(default_factory=lambda: {"": 0})
    total: np.ndarray = field(default_factory=lambda: np.zeros(1, dtype=np.int64))

    def of(self, types: pl.Series) -> np.ndarray:
        """The number of each word; 0 for those that come after too many others."""
        numbers = self.numbers
        if len(numbers) + len(types) <= _MOST_WORDS:
            return np.array([numbers.setdefault(word, len(numbers)) for word in types], dtype=np.uint32)
        for word in types:
            if len(numbers) < _MOST_WORDS:
                numbers.setdefault(word, len(numbers))
        return np.array([numbers.get(word, 0) for word in types], dtype=np.uint32)

    def count(self, ids: np.ndarray) -> None:
        """Counts words by their numbers."""
        counts = np.bincount(ids, minlength=len(self.numbers))
        counts[: len(self.total)] += self.total
        self.total = counts


class _Packer:
    """A store under way.

    Args:
        source: The table.
        config: Columns, shares and seed.
        answer: What is to be predicted.
        folder: Where it is written.
    """

    def __init__(self, source: TableSource, config: DataOptions, answer: Answer, folder: Path) -> None:
        self.source, self.config, self.answer, self.folder = source, config, answer, folder
        rows = max(source.rows(), 1)
        self.test = min(config.test, HELD / rows)
        self.validation = min(config.validation, HELD / rows / (1 - self.test))
        self.is_cut = self.test < config.test or self.validation < config.validation
        self.seed = mixed(np.array([config.split_seed], dtype=np.uint64))[0]
        self.columns: Columns = {}
        self.reading = source.reading
        self.notes: tuple[str, ...] = ()
        self.writers: dict[str, ArrayWriter] = {}
        self.held: dict[int, list[pl.DataFrame]] = {_VALIDATION: [], _TEST: []}
        self.sizes = {_VALIDATION: 0, _TEST: 0}
        self.dropped, self.empty = 0, 0
        self.labels: dict[str, int] = {}
        self.counts = np.zeros(0, dtype=np.int64)
        self.words, self.last, self.longest = _Words(), 0, 0
        self.inputs, self.target = Moments(), Moments()

    def add(self, table: Table) -> None:
        """Takes in the rows of a part."""
        if not self.columns:
            self._begin(table)
        table = replace(table, reading=self.reading)
        for name in self._used():
            table.column(name)
        table = replace(table, frame=table.frame.select(self._used()))
        values = self._values(table)
        part = self._parts(values)
        for number, frames in self.held.items():
            chosen = np.flatnonzero(part == number)
            room = max(2 * HELD - self.sizes[number], 0)
            self.dropped += len(chosen) - len(chosen[:room])
            frames.append(table.frame[chosen[:room]])
            self.sizes[number] += len(frames[-1])
        learnt = np.flatnonzero(part == _TRAIN)
        answers = self._answers(table, learnt)
        if isinstance(values, np.ndarray):
            rows = values[learnt].astype(self.writers["rows"].dtype)
            self.inputs.add(rows)
            self.writers["rows"].append(with_answers(rows, answers))
        else:
            self.writers["answers"].append(answers)
            self._texts(values.gather(learnt))

    def _begin(self, table: Table) -> None:
        """Decides by the first part what the columns are, and how numbers are kept."""
        self.columns = chosen_columns(table, self.config, self.answer)
        table = decided(table, self.columns)
        self.reading, self.notes = table.reading, table.notes
        answers: Any = np.int32 if self.answer == "label" else np.float64
        if "text" in self.columns:
            kinds = {"tokens": np.uint32, "starts": np.int64, "answers": answers}
            self.writers = {name: self._writer(name, kind) for name, kind in kinds.items()}
            self.writers["starts"].append(np.zeros(1))
        else:
            first = Moments()
            first.add(self._matrix(table))
            # A level that would hide from float32 what varies about it.
            dtype: Any = np.float64 if first.fitted().is_hidden.any() else np.float32
            width = with_answers(np.zeros((1, len(self.columns["inputs"])), dtype), np.zeros(1, answers)).shape[1]
            self.writers = {"rows": self._writer("rows", dtype, width)}

    def _writer(self, name: str, dtype: Any, width: int = 0) -> ArrayWriter:
        return ArrayWriter(self.folder / f"{name}.bin", dtype, width)

    def _used(self) -> list[str]:
        inputs = self.columns.get("inputs") or (str(self.columns["text"]),)
        return [*inputs, str(self.columns[self.answer])]

    def _matrix(self, table: Table) -> np.ndarray:
        return np.stack([table.numbers(name) for name in self.columns["inputs"]], axis=1)

    def _values(self, table: Table) -> np.ndarray | pl.Series:
        if "text" in self.columns:
            return table.texts(str(self.columns["text"]))
        return self._matrix(table)

    def _parts(self, values: np.ndarray | pl.Series) -> np.ndarray:
        """The part of each row, by its content."""
        if isinstance(values, np.ndarray):
            keys = np.zeros(len(values), dtype=np.uint64)
            for column in np.ascontiguousarray(values.T).view(np.uint64):
                keys = mixed(keys ^ column)
        else:
            tidy = values.str.strip_chars()
            self.empty += int((tidy == "").sum())
            keys = tidy.hash(0).to_numpy()
        share = mixed(keys ^ self.seed) / 2.0**64
        is_validation = share < self.test + (1 - self.test) * self.validation
        return np.where(share < self.test, _TEST, np.where(is_validation, _VALIDATION, _TRAIN))

    def _answers(self, table: Table, learnt: np.ndarray) -> np.ndarray:
        """The labels, int32, or the targets, float64, of the rows that are learnt from."""
        name = str(self.columns[self.answer])
        if self.answer == "target":
            targets = table.numbers(name)[learnt]
            self.target.add(targets[:, np.newaxis])
            return targets
        column = table.column(name)
        distinct = column.unique(maintain_order=True)
        plain = plain_texts(distinct, name)
        if plain.null_count():
            table.labels(name)  # says which row has none
        for label in plain:
            self.labels.setdefault(label, len(self.labels))
        if len(self.labels) > _MOST_CLASSES:
            raise DataError(
                f'{table.where}: the column "{name}" has more than {_MOST_CLASSES:,} different labels; name the column '
                "of the classes with --label"
            )
        numbers = [self.labels[label] for label in plain]
        codes: np.ndarray = column.replace_strict(distinct, numbers, return_dtype=pl.Int32).to_numpy()[learnt]
        counts = np.bincount(codes, minlength=len(self.labels))
        counts[: len(self.counts)] += self.counts
        self.counts = counts
        return codes

    def _texts(self, strings: pl.Series) -> None:
        for few in _slices(strings):
            tokens = tokenise(few)
            ids = self.words.of(tokens.types)[tokens.flat()]
            self.words.count(ids)
            self.writers["tokens"].append(ids)
            self.writers["starts"].append(self.last + np.cumsum(tokens.lengths))
            self.last += len(ids)
            self.longest = max(self.longest, int(tokens.lengths.max(initial=0)))

    def finish(self, key: str) -> None:
        """Writes all that is not written yet; the index comes last.

        Raises:
            DataError: The table is empty, or too little to be parted, or its labels are no classes.
        """
        where = self.source.where
        arrays = {name: writer.finish() for name, writer in self.writers.items()}
        learnt = next((array["rows"] for name, array in arrays.items() if name in ("rows", "answers")), 0)
        total = learnt + sum(self.sizes.values())
        if not total:
            raise DataError(f"{where} is empty: a header and at least one row were expected")
        if not learnt or not all(self.sizes.values()):
            raise DataError(
                f"{where}: {total:,} examples, or those of them that differ, are too few to hold back any; give more"
            )
        for number, name in ((_VALIDATION, "validation"), (_TEST, "test")):
            pl.concat(self.held[number]).write_parquet(self.folder / f"{name}.parquet")
        about: dict[str, Any] = {"key": key, "columns": dict(self.columns), "reading": self.reading.state()}
        about |= {"names": [], "longest": self.longest, "notes": [*self.notes, *self.source.notes, *self._said(total)]}
        if self.answer == "label":
            names = self._classes(total)
            about |= {"names": names, "classes": [names.index(label) for label in self.labels]}
            about["counts"] = [*self.counts.tolist(), *[0] * (len(self.labels) - len(self.counts))]
        else:
            about["target"] = self.target.state()
        if "text" in self.columns:
            words = pl.DataFrame({"word": list(self.words.numbers)}, schema={"word": pl.String})
            words.with_columns(count=self.words.total).write_parquet(self.folder / "words.parquet")
        else:
            about["inputs"] = self.inputs.state()
        write_index(self.folder, about, arrays)

    def _classes(self, total: int) -> list[str]:
        column = str(self.columns["label"])
        # Each label stands once, and one twice where not every row has another.
        labels = [*self.labels, *(list(self.labels)[:1] if total > len(self.labels) > 1 else [])]
        return list(classes_of(pl.Series(labels, dtype=pl.String), self.source.where, column))

    def _said(self, total: int) -> Iterator[str]:
        if self.is_cut:
            held = " and ".join(
                f"{self.sizes[n]:,} for {w}" for n, w in ((_VALIDATION, "validation"), (_TEST, "testing"))
            )
            yield f"Of {total:,} examples {held} are held back, which tells methods apart; all others are learnt from."
        if self.empty:
            yield f"{self.empty:,} of the {total + self.dropped:,} texts are empty."
        if self.dropped:
            yield f"{self.dropped:,} examples that equal ones held back were left out."
        if len(self.words.numbers) >= _MOST_WORDS:
            yield f"Words that first come after {_MOST_WORDS:,} others count as unknown."


def _slices(strings: pl.Series) -> Iterator[pl.Series]:
    for first in range(0, len(strings), _TEXTS):
        yield strings.slice(first, _TEXTS)
