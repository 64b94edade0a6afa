"""Answers to what is new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from gatework.errors import UsageError
from gatework.tasks._core import Core
from gatework.tasks._evaluation import Scores

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from torch import nn

    from gatework.data.dataset import Split
    from gatework.options import ModelOptions
    from gatework.recipe import Recipe
    from gatework.tasks._inference import Inference
    from gatework.tasks._stream import ByteStream, Stream
    from gatework.tasks._tally import MeasuredParts


class Answering(Core):
    """How a trained task answers what is new: rows or texts, at once, piece by piece or as a stream.

    Attributes:
        needs_input: Whether a prediction needs something to predict; a forecast goes on from what was learnt from.
        is_quantizable: Whether its networks in torch answer on int8 as `gatework.quantize` makes them.
    """

    needs_input: ClassVar[bool] = True
    is_quantizable: ClassVar[bool] = False

    @property
    def example_input(self) -> str:
        """What a person may predict first, as the command line takes it; nothing where none is needed."""
        return '"..."' if self.needs_input else ""

    @property
    def reads_bytes(self) -> bool:
        """Whether its stream is one of bytes, as sound is, rather than of rows."""
        return False

    @property
    def takes_options(self) -> bool:
        """Whether the options of a prediction that its kind of task has are of use to this one."""
        return True

    @property
    def extras(self) -> tuple[str, ...]:
        """The extras of the package that an answer takes, as "speech"."""
        return ()

    @property
    def takes(self) -> tuple[str, ...]:
        """The forms in which one may ask it over a network: "texts", "series", or "rows" of a table; none by default.

        Whoever asks is a stranger: what a task takes so must not be able to name a file of this machine.
        """
        return ()

    @property
    def told_by_content(self) -> bool:
        """Whether an example is the same wherever it stands, as a text is, and a step of a series is not."""
        return False

    @property
    def reads_parts(self) -> bool:
        """Whether every row of a table is an example of its own, so that a table is predicted part by part."""
        return False

    def inference(self, config: ModelOptions, weights: Mapping[str, np.ndarray]) -> Inference | None:
        """What answers without torch; None, as by default, where the task or this network needs it.

        Args:
            config: The cell, its size and its options.
            weights: Those of the trained network by name, in the shapes of its `state_dict()`, which anybody may have
                written: none is used unchecked.
        """
        return None

    def read(self, source: Any, recipe: Recipe, **options: Any) -> Split:
        """Reads what is to be predicted.

        Args:
            source: What the task takes: a text, a path, a data frame; None where it needs no input.
            recipe: What the task was trained with.
            options: Options of a prediction that this task has, such as `horizon` of a forecast.

        Raises:
            UsageError: The task has no such option, or cannot read such a source.
        """
        raise UsageError(f'the task "{self.name}" cannot predict new examples')

    def read_known(self, source: Any, recipe: Recipe, **options: Any) -> Split:
        """Reads examples with known answers; see `read()`."""
        raise UsageError(f'the task "{self.name}" cannot be measured on new examples')

    def align(self, model: nn.Module, split: Split) -> pl.DataFrame:
        """Where in each input each part of its known answer lies, as rows that `written()` can write.

        Raises:
            UsageError: The task's answers have no place in their inputs.
        """
        raise UsageError(f'the task "{self.name}" cannot say where in an input its answer lies')

    def measure(self, model: nn.Module, source: Any, recipe: Recipe, **options: Any) -> Scores:
        """How good a trained network is on a source with known answers; the arguments are those of `read_known()`."""
        split = self.read_known(source, recipe, **options)
        evaluation = self.evaluate(model, self.encode(split))
        return Scores(evaluation.metrics, evaluation.answers, test=split.table(), inputs=split.inputs)

    def measure_parts(self, model: nn.Module, splits: Iterable[Split], where: str) -> MeasuredParts:
        """How good a trained network is on examples that come part by part, where the task `reads_parts`.

        Args:
            model: The network.
            splits: The parts, with known answers.
            where: What they are read from, for messages.

        Raises:
            UsageError: The task reads a table as a whole.
        """
        raise UsageError(f'the task "{self.name}" reads a table as a whole')

    def predict(self, model: nn.Module, split: Split) -> pl.DataFrame:
        """What a person wants to see of examples, as rows of a table."""
        raise UsageError(f'the task "{self.name}" cannot predict new examples')

    def pieces(self, model: nn.Module, split: Split) -> Iterator[str] | None:
        """What is predicted, piece by piece as it comes, where that is text to be read; None where it is a table."""
        return None

    def stream(self, model: nn.Module, recipe: Recipe) -> Stream:
        """Answers rows as they come, with carried state.

        Raises:
            UsageError: The task or the network cannot go step by step.
        """
        raise UsageError(f'the task "{self.name}" cannot answer row by row')

    def byte_stream(self, model: nn.Module, recipe: Recipe, **options: Any) -> ByteStream:
        """Answers bytes as they come, with carried state, where the task `reads_bytes`.

        Args:
            model: The trained network.
            recipe: What it was trained with.
            options: Options of a prediction that this task has.

        Raises:
            UsageError: The task or the network cannot.
        """
        raise UsageError(f'the task "{self.name}" reads rows and no bytes')
