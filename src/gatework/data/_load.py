"""The one door to data: a registered name, a person's file or folder, or a data frame, to a Dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatework.data.dataset import Dataset
from gatework.data.sets import REGISTRY
from gatework.errors import UsageError, nearest

if TYPE_CHECKING:
    from gatework.config import DataConfig


def load(source: Any, config: DataConfig, task: str | None = None) -> Dataset:  # noqa: ARG001
    """Reads and splits data.

    Args:
        source: A registered data set's name; the path of a CSV, TSV, JSONL or Parquet file (also gzipped) or of a
            folder of text files per class; or a pandas, polars or pyarrow frame.
        config: Columns, shares and seed; shares apply where the data set has no official split.
        task: What the data is for, "classify" or "regress": says which column is to be predicted. Not needed for
            registered data sets.

    Raises:
        UsageError: There is neither such a data set nor such a file.
        DataError: The data is not what was expected.
    """
    if isinstance(source, str) and source in REGISTRY:
        return REGISTRY[source].load(config)
    raise UsageError(f'there is no data set "{source}": {nearest(str(source), REGISTRY)}')
