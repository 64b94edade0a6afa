"""The doors to data: names, files, folders and data frames to a Dataset, and to examples for a trained task."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data.dataset import Dataset, Split
from gatework.data.sets import REGISTRY
from gatework.errors import UsageError, nearest

if TYPE_CHECKING:
    from gatework.config import DataConfig
    from gatework.tasks import Task


def load(source: Any, config: DataConfig, task: str | None = None) -> Dataset:
    """Reads and splits data.

    Args:
        source: A registered data set's name; the path of a CSV, TSV, JSONL or Parquet file (also gzipped) or of a
            folder of text files per class; or a pandas, polars or pyarrow frame.
        config: Columns, shares and seed; shares apply where the data set has no official split.
        task: What a person's own data is for, "classify" or "regress"; the latter if None and a target is named. A
            registered data set has its own.

    Raises:
        UsageError: There is neither such a data set nor such a file, or a column must be named.
        DataError: The data is not what was expected.
    """
    if isinstance(source, str) and source in REGISTRY:
        return REGISTRY[source].load(config)
    if isinstance(source, str) and not _looks_like_a_path(source):
        raise UsageError(f'there is no data set and no file "{source}": {nearest(source, REGISTRY)}')
    from gatework.data.own import read_dataset

    return read_dataset(source, config, task or ("regress" if config.target else "classify"))


def load_split(source: Any, config: DataConfig, task: Task) -> Split:
    """Reads examples with known answers, to evaluate a trained task on.

    Args:
        source: As for `load()`; of a registered data set, the test part.
        config: What the task was trained with.
        task: The trained task.

    Raises:
        DataError: The data is not what was expected, or a label is none of the task's classes.
    """
    if isinstance(source, str) and source in REGISTRY:
        return REGISTRY[source].load(config).test
    from gatework.data.own import read_examples

    return read_examples(source, config, task)


def load_inputs(source: Any, config: DataConfig, task: Task) -> Split:
    """Reads inputs without answers, to predict them.

    Args:
        source: A text, a list of texts, a series as text or array, or what `load()` reads.
        config: What the task was trained with.
        task: The trained task.

    Returns:
        The inputs with zeros as targets.

    Raises:
        DataError: The data is not what was expected.
    """
    from gatework.data.own import read_inputs

    inputs = read_inputs(source, config, task)
    zeros = np.zeros(len(inputs), np.int64) if task.classes else np.zeros((len(inputs), 1), np.float32)
    return Split(inputs, zeros)


def _looks_like_a_path(text: str) -> bool:
    return os.path.exists(text) or any(mark in text for mark in (".", "/", os.sep))
