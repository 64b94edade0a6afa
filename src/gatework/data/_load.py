"""The doors to data: names, files, folders and data frames to a Dataset, and to examples for a trained task."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from gatework.data.dataset import Dataset, Split
from gatework.data.own import read_dataset, read_examples, read_inputs
from gatework.data.sets import REGISTRY, SetSpec
from gatework.data.store.packing import packed_dataset
from gatework.data.store.sources import is_stored
from gatework.errors import UsageError, nearest

if TYPE_CHECKING:
    import polars as pl

    from gatework.data.dataset import Columns
    from gatework.data.inputs import Inputs
    from gatework.data.own import Answer, Kind
    from gatework.data.reading import Reading
    from gatework.options import DataOptions


def load(source: Any, config: DataOptions, answer: Answer | None = None) -> Dataset:
    """Reads and splits data.

    Args:
        source: A registered data set's name; the path of a CSV, TSV, JSONL or Parquet file (also gzipped) or of a
            folder of text files per class; or a pandas, polars or pyarrow frame.
        config: Columns, shares and seed; shares apply where the data set has no official split.
        answer: What is to be predicted of a person's own data, a "label" or a "target"; the latter if None and a target
            is named. A registered data set has its own.

    Raises:
        UsageError: There is neither such a data set nor such a file, or a column must be named.
        DataError: The data is not what was expected.
    """
    if isinstance(source, str) and source in REGISTRY:
        if config.store is not None:
            raise UsageError(
                f'--store is of tables on disk, and "{source}" is a data set that fits memory; leave it out'
            )
        if config.test_file is not None:
            raise UsageError(f'the data set "{source}" has a test part of its own; leave --test-file out')
        return _examples(REGISTRY[source], config)
    if isinstance(source, str) and not _looks_like_a_path(source):
        raise UsageError(f'there is no data set and no file "{source}": {nearest(source, REGISTRY)}')
    answer = answer or ("target" if config.target else "label")
    if is_stored(source, config):
        return packed_dataset(source, config, answer)
    return read_dataset(source, config, answer)


def load_split(
    source: Any, config: DataOptions, columns: Columns, classes: tuple[str, ...], reading: Reading | None = None
) -> Split:
    """Reads examples with known answers, to evaluate a trained task on.

    Args:
        source: As for `load()`; of a registered data set, the test part.
        config: What the task was trained with.
        columns: The columns that the task was trained on, by role.
        classes: The classes' names; empty for values.
        reading: How the table that the task was trained on was read.

    Raises:
        DataError: The data is not what was expected, or a label is none of the classes.
    """
    if isinstance(source, str) and source in REGISTRY:
        return _examples(REGISTRY[source], config).test
    return read_examples(source, config, columns, classes, reading)


def load_inputs(
    source: Any, config: DataOptions, columns: Columns, kind: Kind, reading: Reading | None = None
) -> tuple[Inputs, pl.DataFrame | None]:
    """Reads inputs without answers, to predict them.

    Args:
        source: A text, a list of texts, a series as text or array, or what `load()` reads.
        config: What the task was trained with.
        columns: The columns that the task was trained on, by role.
        kind: What the task reads.
        reading: How the table that the task was trained on was read.

    Returns:
        The inputs, and the table that they were read from where there is one.

    Raises:
        DataError: The data is not what was expected.
    """
    return read_inputs(source, config, columns, kind, reading)


def _examples(spec: SetSpec, config: DataOptions) -> Dataset:
    loaded = None if spec.is_table else spec.load(config)
    if not isinstance(loaded, Dataset):
        raise UsageError(
            f'"{spec.name}" is a table with a time column, which its recipe\'s task reads: '
            f"gatework.tasks.load({spec.name!r})"
        )
    return loaded


def _looks_like_a_path(text: str) -> bool:
    return os.path.exists(text) or any(mark in text for mark in (".", "/", os.sep))
