"""What a task is: what is learnt from a dataset, how well, against which baselines, and how a prediction is made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from gatework.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from torch import Tensor, nn

    from gatework.config import DataConfig, ModelConfig, Recipe
    from gatework.data.dataset import Batch, Columns, Dataset, Examples, Split


def single_threaded() -> AbstractContextManager[Any]:
    """Keeps the linear algebra under scikit-learn to one thread while a baseline is fitted.

    Its vectors are too short to share: on a busy machine the threads wait for each other ten times longer than they
    work. One thread also gives the same digits on every machine.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


@dataclass(frozen=True)
class Baseline:
    """A simple method that a network must beat.

    Attributes:
        name: As it stands in tables, such as "last value".
        about: One sentence: what it does.
        outputs: Its outputs for the test part, in the form of the network's (values, or scores per class).
        seconds: What fitting it took, in seconds.
        parameters: How many numbers it learnt; 0 where it learns nothing.
    """

    name: str
    about: str
    outputs: np.ndarray
    seconds: float
    parameters: int = 0


@dataclass(frozen=True)
class Measured:
    """What a measurement found.

    Attributes:
        metrics: Of the network, by name.
        baselines: Of simple methods, by their names.
    """

    metrics: dict[str, float]
    baselines: Mapping[str, dict[str, float]] = field(default_factory=dict)


class Task(ABC):
    """A task fitted to a dataset's training part: its encoder, model, loss, metrics and baselines.

    Attributes:
        name: The name on the command line.
        metric: The metric that decides, without the "test_" prefix.
        lower_is_better: Whether a smaller metric is a better one.
        needs_input: Whether a prediction needs something to predict; a forecast goes on from what was learnt from.
        classes: The names of the classes, in the order of their indices; empty for regression.
        columns: The columns of a person's own table that it was fitted to, by role; empty for a registered data set.
    """

    name: ClassVar[str]
    metric: ClassVar[str]
    lower_is_better: ClassVar[bool]
    needs_input: ClassVar[bool] = True
    classes: tuple[str, ...]
    columns: Columns

    @property
    @abstractmethod
    def kind(self) -> str:
        """What the inputs are: "series" or "text"."""

    @classmethod
    def load(cls, source: Any, recipe: Recipe) -> Dataset:
        """Reads and splits the data to learn from; see `gatework.data.load`."""
        from gatework import data

        return data.load(source, recipe.data, cls.name)

    def read(self, source: Any, recipe: Recipe, *, horizon: int | None = None) -> Split:
        """Reads what is to be predicted; see `gatework.data.load_inputs`.

        Args:
            source: What `gatework.data.load_inputs` takes.
            recipe: What the task was trained with.
            horizon: The steps to forecast, for tasks that look ahead.

        Raises:
            UsageError: A horizon is given and the task does not look ahead.
        """
        from gatework import data

        if horizon is not None:
            raise UsageError(f'the task "{self.name}" does not look ahead and takes no --horizon')
        return data.load_inputs(source, recipe.data, self)

    def read_known(self, source: Any, recipe: Recipe) -> Split:
        """Reads examples with known answers; see `gatework.data.load_split`."""
        from gatework import data

        return data.load_split(source, recipe.data, self)

    @classmethod
    @abstractmethod
    def fit(cls, dataset: Dataset, config: DataConfig) -> Task:
        """Learns vocabulary, classes and scaling from `dataset.train` alone."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """All that is needed to predict, as values that JSON can hold."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: Mapping[str, Any]) -> Task:
        """The task whose `state()` this is."""

    @abstractmethod
    def encode(self, split: Split) -> Examples:
        """Examples ready to be batched."""

    @abstractmethod
    def model(self, config: ModelConfig) -> nn.Module:
        """A network with fresh weights; it maps a Batch to outputs of shape (batch, output)."""

    @abstractmethod
    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """The mean loss of a batch, a scalar."""

    def calibrate(self, model: nn.Module, dataset: Dataset) -> None:  # noqa: B027
        """Adjusts a trained network's buffers by the validation part, before the test part is looked at."""

    def outputs(self, model: nn.Module, split: Split) -> np.ndarray:
        """What a trained network answers to examples."""
        from gatework.training.loop import evaluate

        return evaluate(model, self, self.encode(split))[0]

    def test(self, model: nn.Module, dataset: Dataset, earlier: Sequence[tuple[Task, nn.Module]]) -> np.ndarray:
        """What is answered to the test part.

        Args:
            model: The trained network, after `calibrate()`.
            dataset: The data.
            earlier: The tasks and networks of `dataset.trainings` before the last one.
        """
        return self.outputs(model, dataset.test)

    def values(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs in the targets' own unit; scores per class stay as they are."""
        return outputs

    @abstractmethod
    def metrics(self, outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        """Every metric of these outputs, `metric` among them, without a prefix."""

    def absent(self, dataset: Dataset) -> list[str]:
        """Which simple methods are not run here and why, one sentence each."""
        return []

    def remark(self, dataset: Dataset, metrics: Mapping[str, float]) -> str:
        """What a verdict must add to the deciding metric of a network, in a sentence; nothing by default.

        Args:
            dataset: The data.
            metrics: The network's metrics on the test part, without a prefix.
        """
        return ""

    def parts(self, outputs: np.ndarray, split: Split) -> list[dict[str, Any]]:
        """The metrics of each part that examples fall into, such as a series, as rows of a table; none by default."""
        return []

    @abstractmethod
    def baselines(self, dataset: Dataset) -> Sequence[Baseline]:
        """Every simple method, fitted to the training part and run on the test part."""

    @abstractmethod
    def predictions(self, outputs: np.ndarray) -> list[dict[str, Any]]:
        """What a person wants to see for each row of outputs, as values that JSON can hold."""

    def answers(self, outputs: np.ndarray, split: Split) -> list[dict[str, Any]]:
        """What a person wants to see, as rows of a table, where that needs the examples as well."""
        return self.predictions(outputs)

    def predict(self, model: nn.Module, split: Split) -> list[dict[str, Any]]:
        """What a trained network says of examples, as rows of a table."""
        return self.answers(self.outputs(model, split), split)

    def told(self, rows: list[dict[str, Any]]) -> list[str]:
        """What to say of predictions in words, one line each, beside the table of them."""
        return []

    def measure(self, model: nn.Module, source: Any, recipe: Recipe, *, label: str | None = None) -> Measured:
        """The metrics of a trained network on a source with known answers.

        Args:
            model: The network.
            source: What `read_known()` takes.
            recipe: What the task was trained with.
            label: The column of the answers, for tasks that were trained without any.

        Returns:
            The metrics, and those of simple methods by name where the task has such.
        """
        if label is not None:
            raise UsageError(f'the task "{self.name}" was trained with its answers and takes no --label here')
        split = self.read_known(source, recipe)
        return Measured(self.metrics(self.outputs(model, split), split.targets))

    def keep(self, folder: Path, model: nn.Module, dataset: Dataset) -> None:  # noqa: B027
        """Writes what the report shows beyond the predictions for the test part into a run folder."""
