"""The core of a task: what its loss is, and how a network, its data and its answers are made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from gatework.options import TaskOptions

if TYPE_CHECKING:
    from torch import nn

    from gatework.data.dataset import Batch, Dataset, Examples, Split
    from gatework.options import DataOptions, ModelOptions
    from gatework.recipe import Recipe
    from gatework.tasks._evaluation import Evaluation, Loss
    from gatework.tasks._task import Task


class Core(ABC):
    """Seven methods that every task has; all that it may do besides stands in the capabilities of `Task`.

    Attributes:
        options: What it says of its options without being imported; None where it has none of its own.
        name: The name on the command line.
        metric: The metric that decides, without the "test_" prefix.
        lower_is_better: Whether a smaller metric is a better one.
    """

    options: ClassVar[TaskOptions | None] = None
    name: ClassVar[str]
    metric: ClassVar[str]
    lower_is_better: ClassVar[bool]

    @classmethod
    @abstractmethod
    def load(cls, source: Any, recipe: Recipe) -> Dataset:
        """Reads and splits the data to learn from.

        Args:
            source: A registered data set's name, the path of a file or folder, or a data frame.
            recipe: What is trained.

        Raises:
            UsageError: There is neither such a data set nor such a file, or a column must be named.
            DataError: The data are not what was expected.
        """

    @classmethod
    @abstractmethod
    def fit(cls, dataset: Dataset, config: DataOptions) -> Task:
        """Learns vocabulary, classes and scaling from `dataset.train` alone."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """All that is needed to predict, as values that JSON can hold."""

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Task:
        """The task whose `state()` this is: by default its constructor takes the entries."""
        made: Any = cls
        return cast("Task", made(**state))

    @abstractmethod
    def encode(self, split: Split) -> Examples:
        """Examples ready to be batched."""

    @abstractmethod
    def model(self, config: ModelOptions) -> nn.Module:
        """A network with fresh weights; its `forward()` takes the named tensors of a batch."""

    @abstractmethod
    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The loss of a network on a batch."""

    @abstractmethod
    def evaluate(self, model: nn.Module, examples: Examples) -> Evaluation:
        """What a network says of examples with known answers, and how good that is."""
