"""Anomaly detection: rows of a table with a time column that differ from what is usual, or from what labels say is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gatework.tasks.detect.labelled import LabelledDetectTask
from gatework.tasks.detect.usual import UsualTask, detection_data

if TYPE_CHECKING:
    from gatework.data.dataset import Dataset
    from gatework.options import DataOptions


class DetectTask(UsualTask):
    """Anomaly detection by its name: learnt from labels where the data have such, else by what is usual."""

    @classmethod
    def fit(cls, dataset: Dataset, config: DataOptions) -> UsualTask:
        """Takes over scales and clock, which the training part alone decided.

        Raises:
            DataError: The data set is no table with a time column.
        """
        kind = LabelledDetectTask if detection_data(dataset).is_labelled else UsualTask
        return kind.fit(dataset, config)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Any:
        """The task whose `state()` this is, a `UsualTask`."""
        return (LabelledDetectTask if state["weight"] else UsualTask).from_state(state)
