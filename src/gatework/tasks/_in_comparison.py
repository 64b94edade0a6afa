"""A task's figures beside others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gatework.errors import UsageError
from gatework.tasks._core import Core
from gatework.tasks._evaluation import Baseline

if TYPE_CHECKING:
    import polars as pl

    from gatework.data.dataset import Dataset
    from gatework.tasks._sample import Sample


class InComparison(Core):
    """What sets a network's figures beside others: metrics of any answers, simple methods, a remark."""

    def metrics(self, answers: pl.DataFrame) -> dict[str, float]:
        """Every metric of a table of answers, a network's or a baseline's; `metric` is among them."""
        raise UsageError(f'the task "{self.name}" has no metrics of a table of answers: define metrics()')

    def sample(self, answers: pl.DataFrame) -> Sample | None:
        """What each example adds to the metric that decides; None where that is no mean over examples."""
        return None

    def baselines(self, dataset: Dataset) -> Sequence[Baseline]:
        """Every simple method, fitted to the training part and run on the test part; none by default."""
        return []

    def absent(self, dataset: Dataset) -> list[str]:
        """Which simple methods are not run here and why, one sentence each."""
        return []

    def remark(
        self, dataset: Dataset, metrics: Mapping[str, float], baselines: Mapping[str, Mapping[str, float]]
    ) -> str:
        """What a verdict must add to the deciding metric of a network, in a sentence; nothing by default.

        Args:
            dataset: The data.
            metrics: The network's metrics on the test part, without a prefix.
            baselines: Those of the simple methods, by their names.
        """
        return ""

    def is_copied(self, answers: pl.DataFrame) -> bool:
        """Whether answers equal the targets exactly, so that copying the input solves the task."""
        return False
