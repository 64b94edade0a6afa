"""Answers for single sequences without torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from gatework.data.batches import evaluation_order
from gatework.data.dataset import Split
from gatework.inference.sequence import SequenceNetwork
from gatework.tasks._sequence_stream import Alone, SequenceStream, check_streams

if TYPE_CHECKING:
    import polars as pl

    from gatework.recipe import Recipe
    from gatework.tasks._sequence import SequenceTask
    from gatework.tasks._stream import Stream

_BATCH = 256
OutputsOf = Callable[[Split], np.ndarray]
Finish = Callable[[OutputsOf, Split], np.ndarray]
"""What a task makes of examples and a network's outputs before it says them in words."""


class SequenceInference:
    """A task with its trained network as arrays; see `Inference`.

    Args:
        task: The task.
        network: The network.
        finish: What becomes of the outputs for whole examples.
        alone: What becomes of those for a sequence that is still under way.
    """

    is_batched = True

    def __init__(self, task: SequenceTask, network: SequenceNetwork, finish: Finish, alone: Alone) -> None:
        self.task, self.network, self._finish, self._alone = task, network, finish, alone

    @property
    def threads(self) -> int:
        """How many threads compute."""
        return self.network.layers.threads

    @threads.setter
    def threads(self, count: int) -> None:
        self.network.layers.threads = count

    def quantized(self) -> SequenceInference:
        """The same with its layers on int8."""
        return SequenceInference(self.task, self.network.quantized(), self._finish, self._alone)

    def predict(self, split: Split) -> pl.DataFrame:
        """What is said of each example."""
        return self.task.table_of(self._finish(self._outputs, split), split)

    def _outputs(self, split: Split) -> np.ndarray:
        examples = self.task.encode(split)
        order = evaluation_order(examples.lengths, _BATCH)
        parts = [self.network.outputs(*examples.arrays(index)) for index in order]
        outputs: np.ndarray = np.concatenate(parts)[np.argsort(np.concatenate(order))]
        return outputs

    def pieces(self, split: Split) -> None:
        """Nothing: an answer is a row."""

    def stream(self, recipe: Recipe) -> Stream:
        """Answers after every step of one sequence."""
        check_streams(self.task, is_bidirectional=self.network.is_bidirectional)
        return SequenceStream(self.task, self.network.follow, self._alone, self.network)
