"""What a task does with a trained network before a run is finished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from gatework.tasks._core import Core

if TYPE_CHECKING:
    import polars as pl
    from torch import nn

    from gatework.data.dataset import Dataset
    from gatework.tasks._blend import Blend
    from gatework.tasks._evaluation import Evaluation
    from gatework.tasks._task import Task, Trained

Exportable = Mapping[str, tuple["nn.Module", dict[str, Any]]]
"""What is written of a network as ONNX: for each part, by its name, the module and the keywords of `export.onnx`."""


class AfterTraining(Core):
    """What is made of a trained network: calibration, what answers beside it, what is kept and written."""

    def calibrate(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> None:
        """Adjusts a trained network's buffers by the validation part, before the test part is looked at.

        Args:
            model: The trained network.
            dataset: The data.
            earlier: The trainings of `dataset.trainings` before the last one.
        """

    def test(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> Evaluation:
        """What is said of the test part; changes nothing. The arguments are those of `calibrate()`."""
        return self.evaluate(model, self.encode(dataset.test))

    @property
    def blend(self) -> Blend | None:
        """What answers where the validation part chose among network and simple methods; else None: the network."""
        return None

    def blended(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> Task:
        """The task with the answer that does best on the validation part: see `gatework.tasks._blend`.

        What it answers then is that of its `blend`, whose needs stand in its `state()` as "answer". The arguments are
        those of `calibrate()`, which was called before. Without simple methods that can be kept in a run, the task as
        it is.
        """
        return cast("Task", self)

    def beside(self, model: nn.Module, dataset: Dataset) -> Mapping[str, pl.DataFrame]:
        """What simple methods say alone of the test part, by name: those whose figures a run keeps beside its own.

        By default all of `baselines()`; without those that take as long as a training.

        Args:
            model: The trained network.
            dataset: The data.
        """
        return {method.name: method.answers for method in cast("Task", self).baselines(dataset)}

    def advanced(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> Task:
        """The task, and in place the network's buffers, gone on over the test part, from whose end it predicts."""
        return cast("Task", self)

    def tables(self, model: nn.Module, dataset: Dataset, evaluation: Evaluation) -> Mapping[str, pl.DataFrame]:
        """Further tables that a run keeps for its report, by the name of their file; none by default."""
        return {}

    def calibrated(self, model: nn.Module) -> nn.Module:
        """The network with what `calibrate()` chose among its weights, as it is written to files; by default itself."""
        return model

    def exportable(self, model: nn.Module) -> Exportable:
        """What is written of a network as ONNX, part by part, each a file with the part's name where it has one.

        Nothing where the network is written as it is called in training.
        """
        return {}
