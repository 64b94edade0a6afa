"""A sequence that comes step by step: a row of values, or a piece of text, answered as if it ended there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import numpy as np

from gatework.data.lines import SOURCE, number_of
from gatework.data.numbers import NumberReader
from gatework.data.series import SeriesEncoder
from gatework.data.text import TextEncoder
from gatework.data.tokens import words_of
from gatework.errors import DataError, UsageError

if TYPE_CHECKING:
    from gatework.inference.sequence import SequenceNetwork
    from gatework.tasks._sequence import SequenceTask
    from gatework.tasks._stream import Row

Follow = Callable[[np.ndarray, Any], tuple[np.ndarray, Any]]
"""Goes on by some steps of a sequence from what is carried: the outputs after each, and what to carry on."""


@runtime_checkable
class Followable(Protocol):
    """A network that goes on step by step.

    Attributes:
        recurrent: Its layers.
    """

    recurrent: Any

    def eval(self) -> Self:
        """The network as it answers."""
        ...

    def follow_arrays(self, steps: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        """As a `Follow`."""
        ...


Alone = Callable[[np.ndarray], np.ndarray]
"""What a task makes of a network's outputs, shape (examples, outputs), where nothing else answers with it."""


def check_streams(task: SequenceTask, *, is_bidirectional: bool) -> None:
    """Refuses a network that needs the whole sequence.

    Raises:
        UsageError: It does.
    """
    if is_bidirectional:
        raise UsageError(
            "a bidirectional network needs the whole sequence and cannot answer row by row; train one with "
            "bidirectional false"
        )
    if isinstance(task.encoder, TextEncoder) and task.encoder.padding == "pre":
        raise UsageError('a text that is padded in front must be whole; train a network with padding "mask"')
    if isinstance(task.encoder, TextEncoder):
        _ = task.encoder.words
    if task.pairs is not None:
        raise UsageError("a network that reads pairs of words needs the whole text; train one with --pairs 0")


class SequenceStream:
    """One sequence under way.

    A series goes on by one step a row, read from the row's columns in their order; a text by the tokens of the row's
    column. What is carried does not grow, and the answer after a row is that for the whole sequence up to it.

    Args:
        task: The task.
        follow: Its trained network.
        alone: What becomes of the network's outputs where it answers alone, as it does here.
        network: The network, where it is one whose state can be given away.
    """

    def __init__(
        self, task: SequenceTask, follow: Follow, alone: Alone, network: SequenceNetwork | None = None
    ) -> None:
        self.task, self._follow, self._alone, self._network = task, follow, alone, network
        self.reading = task.reading
        self.columns: tuple[str, ...] = ()
        self._read = NumberReader(task.reading)
        encoder = task.encoder
        self._series = encoder if isinstance(encoder, SeriesEncoder) else None
        self._words = encoder.words if isinstance(encoder, TextEncoder) else None
        self._column = str(task.columns.get("text", "text"))
        self.state: Any = None

    def answer(self, row: Mapping[str, Any], where: str) -> dict[str, Any]:
        """The answer for the sequence up to this row.

        Args:
            row: Its values by column: for a text one column, for a series one column per variable.
            where: What to call it in messages, such as "line 12".

        Raises:
            DataError: A column is missing, or a value is no finite number.
        """
        outputs, self.state = self._follow(self._inputs(self._steps(row, where)), self.state)
        return self.task.said(self._alone(outputs)[-1])

    def answers(self, rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
        """The answers to rows that come together, each as `answer()` gives it.

        Args:
            rows: What to call each row, and its values.

        Raises:
            DataError: As for `answer()`; the answers to the rows before have come out.
        """
        steps, failure = self._readable(rows)
        if steps:
            together = steps[0] if len(steps) == 1 else np.concatenate(steps)
            outputs, self.state = self._follow(self._inputs(together), self.state)
            outputs, end = self._alone(outputs), -1
            for step in steps:
                end += len(step)
                yield self.task.said(outputs[end])
        if failure is not None:
            raise failure

    def carried(self) -> list[np.ndarray]:
        """What is carried, as float32 arrays; none before the first row.

        Raises:
            UsageError: The network computes in torch, whose states have no such form.
        """
        return self._codec().to_arrays(self.state)

    def go_on_from(self, arrays: Sequence[np.ndarray]) -> None:
        """Takes the place of the stream that carried this.

        Raises:
            UsageError: As for `carried()`.
            ValueError: It was the stream of another network.
        """
        self.state = self._codec().from_arrays(arrays)

    def _codec(self) -> SequenceNetwork:
        if self._network is None:
            raise UsageError("torch computes this network, whose state cannot be given away; go on by a session")
        return self._network

    def _readable(self, rows: Sequence[Row]) -> tuple[list[np.ndarray], DataError | None]:
        """The steps of each row, up to the first that cannot be read, and what is wrong with that one."""
        steps: list[np.ndarray] = []
        try:
            for where, row in rows:
                steps.append(self._steps(row, where))
        except DataError as error:
            return steps, error
        return steps, None

    def _steps(self, row: Mapping[str, Any], where: str) -> np.ndarray:
        """A row's values, shape (1, variables), or its tokens, shape (tokens,)."""
        if self._series is not None:
            width = len(self._series.scale.mean)
            if len(row) != width:
                raise DataError(f"{SOURCE}, {where} has {len(row)} values, expected one for each of {width} variables")
            return np.array([[self._number(value, name, where) for name, value in row.items()]])
        if self._words is None:
            raise UsageError(f"{SOURCE} holds rows, and sound was expected")
        name = self._column
        if name not in row and len(row) == 1:
            name = next(iter(row))
        if name not in row:
            raise DataError(f'{SOURCE}, {where} has no column "{name}": there is {", ".join(map(str, row))}')
        # A piece without a word is read as one unknown word, as an empty text is.
        return self._words.indices(words_of(str(row[name])) or [""], np.int64)

    def _inputs(self, steps: np.ndarray) -> np.ndarray:
        """Steps as the network takes them."""
        if self._series is None:
            return steps
        scale = self._series.scale
        return scale.apply(scale.single(steps))

    def _number(self, value: Any, name: str, where: str) -> float:
        number = number_of(value, name, where, self._read)
        if math.isnan(number):
            raise DataError(f'{SOURCE}, column "{name}": {where} is empty, expected a finite number')
        return number
