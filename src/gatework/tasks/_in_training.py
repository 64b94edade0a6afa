"""A task's part in a training, beyond its loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from gatework.data.batches import training_order
from gatework.data.store.examples import PackedExamples
from gatework.tasks._core import Core

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from gatework.data.dataset import Dataset, Examples
    from gatework.options import TrainingOptions
    from gatework.recipe import Recipe
    from gatework.tasks._task import Task


class Before(NamedTuple):
    """A training that comes before that of a task's own network.

    Attributes:
        name: What it is, in a word that names its folder in the run's.
        task: What is learnt, fitted.
        dataset: From what.
        recipe: How.
        weights: What its network begins from, by name, as `begin()` takes it.
    """

    name: str
    task: Task
    dataset: Dataset
    recipe: Recipe
    weights: Mapping[str, Tensor] = MappingProxyType({})


class Earlier(NamedTuple):
    """A training that came before and is done.

    Attributes:
        weights: Of its network, by name.
        seconds: What it took.
    """

    weights: Mapping[str, Tensor]
    seconds: float


class PartRates(NamedTuple):
    """How fast parts of a network learn beside each other.

    Attributes:
        groups: The parameters of each part; together every one once.
        factors: What the learning rate of each part is multiplied by, given the share of the training that is done;
            a part of 0 stays as it is.
    """

    groups: Sequence[Sequence[nn.Parameter]]
    factors: Callable[[float], Sequence[float]]


class InTraining(Core):
    """What a training may leave to its task: fresh weights, the order of batches, a look after an epoch."""

    def order(self, examples: Examples, config: TrainingOptions, epoch: int) -> Sequence[np.ndarray]:
        """The batches of an epoch, in order; as many in every epoch, and a function of the arguments alone.

        Args:
            examples: The training part, encoded.
            config: The size of a batch and the seed.
            epoch: The epoch, counted from 1.

        Returns:
            For each step what `Examples.batch()` is given, shape (batch,) or (batch, ...), of whose first dimension
            several processes take parts.
        """
        if isinstance(examples, PackedExamples):
            return examples.order(config, epoch)
        return training_order(examples.lengths, config.batch_size, config.seed, epoch, config.bucket)

    def before(self, dataset: Dataset, recipe: Recipe, earlier: Sequence[Earlier] = ()) -> Before | None:
        """The next training of another network that comes before that of the task's own; none by default.

        Args:
            dataset: The data.
            recipe: The recipe.
            earlier: Those that are done, in order.
        """
        return None

    def following(
        self, dataset: Dataset, recipe: Recipe, earlier: Sequence[Earlier]
    ) -> tuple[Dataset, Recipe, Mapping[str, Tensor]]:
        """What the task's own network learns from, how, and what `begin()` gives it, behind the trainings `before()`.

        By default these are the data and the recipe as they are, and the weights of the last such training, by name and
        in the shapes of its network's `state_dict()`.

        Args:
            dataset: The data.
            recipe: The recipe.
            earlier: Those trainings, in order; none where there was none.
        """
        return dataset, recipe, earlier[-1].weights if earlier else {}

    def begin(self, model: nn.Module, dataset: Dataset, earlier: Mapping[str, Tensor]) -> None:
        """Changes fresh weights before the first step of a training, as to go on from another network's.

        Args:
            model: The network.
            dataset: The data.
            earlier: The weights of the network that was trained `before()`, by name and in the shapes of its
                `state_dict()`; empty where there was none.
        """

    def taught(self, dataset: Dataset, recipe: Recipe) -> Task:
        """The task while its network learns, with what the loss needs of the data and the recipe; itself by default."""
        task: Any = self
        return cast("Task", task)

    @property
    def deciding(self) -> str:
        """The metric of the validation part that says which epoch is best; that of the task by default."""
        return self.metric

    def pace(self, model: nn.Module, recipe: Recipe) -> PartRates | None:
        """At which rates parts of the network learn; all at one if None."""
        return None

    def networks(self, model: nn.Module) -> Sequence[Sequence[nn.Parameter]]:
        """The parameters of each of several networks that learn beside each other, none in more than one.

        `loss()` adds up their losses, each by what that network says itself, over the same terms. Each is trained as if
        it were alone: its gradient is clipped by its own norm. They learn at one rate, so `pace()` is None. By default
        there are none: the model is one network.

        Args:
            model: The networks.
        """
        return ()

    def lessons(
        self, model: nn.Module, examples: Examples, config: TrainingOptions, epoch: int, share: float, *, is_fresh: bool
    ) -> Examples:
        """What an epoch learns from, as many examples as there are; by default the training part as it is.

        Args:
            model: The network before the epoch's first step; what the epoch needs of it again, should it be stopped and
                go on, is kept in a buffer.
            examples: The training part, encoded.
            config: How it is trained.
            epoch: The epoch, counted from 1.
            share: The share of the training that is done before it, of its epochs or its minutes.
            is_fresh: Whether the epoch begins, rather than goes on.
        """
        return examples

    def seconds_besides(self, model: nn.Module, dataset: Dataset) -> float:
        """Seconds of `--minutes` that are not the epochs': of reading, and of what follows the last one; 0 by default.

        Asked once, at the end of the epoch in which half of the minutes are spent.

        Args:
            model: The network, in evaluation, which stays as it is.
            dataset: The data.
        """
        return 0.0

    def further(self, dataset: Dataset, recipe: Recipe) -> Mapping[str, tuple[Dataset, Recipe]]:
        """Trainings of the same kind that follow a run's own, by name, whose metrics it keeps; none by default."""
        return {}

    def specimen(self, model: nn.Module) -> dict[str, str]:
        """What a network makes after an epoch, as texts by name, for a person to see; nothing by default.

        It draws from no random generator but its own, so that training is the same with and without it.
        """
        return {}
