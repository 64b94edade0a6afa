"""A sequence that comes step by step: a row of values, or a piece of text, answered as if it ended there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gatework.data.lines import SOURCE, number_of
from gatework.data.numbers import NumberReader
from gatework.data.series import SeriesEncoder
from gatework.data.text import Texts
from gatework.errors import DataError, UsageError
from gatework.nn.model import Carried, SequenceModel

if TYPE_CHECKING:
    from torch import nn

    from gatework.tasks._sequence import SequenceTask


class SequenceStream:
    """One sequence under way.

    A series goes on by one step a row, read from the row's columns in their order; a text by the tokens of the row's
    column. What is carried does not grow, and the answer after a row is that for the whole sequence up to it.

    Args:
        task: The task.
        model: The trained network.

    Raises:
        UsageError: The network needs the whole sequence.
    """

    def __init__(self, task: SequenceTask, model: nn.Module) -> None:
        if not isinstance(model, SequenceModel) or model.recurrent.bidirectional:
            raise UsageError(
                "a bidirectional network needs the whole sequence and cannot answer row by row; train one with "
                "bidirectional false"
            )
        if not isinstance(task.encoder, SeriesEncoder) and task.encoder.padding == "pre":
            raise UsageError('a text that is padded in front must be whole; train a network with padding "mask"')
        self.task, self.model = task, model.eval()
        self.reading = task.reading
        self.columns: tuple[str, ...] = ()
        self._read = NumberReader(task.reading)
        self.state: Carried | None = None

    def answer(self, row: Mapping[str, Any], where: str) -> dict[str, Any]:
        """The answer for the sequence up to this row.

        Args:
            row: Its values by column: for a text one column, for a series one column per variable.
            where: What to call it in messages, such as "line 12".

        Raises:
            DataError: A column is missing, or a value is no finite number.
        """
        outputs = torch.zeros(1, self.task.width)
        with torch.no_grad():
            for step in self._steps(row, where):
                outputs, self.state = self.model.step(step, self.state)
        answer: dict[str, Any] = self.task.rows(outputs.numpy(), self.task.blank(1)).row(0, named=True)
        return answer

    def _steps(self, row: Mapping[str, Any], where: str) -> list[torch.Tensor]:
        encoder = self.task.encoder
        if isinstance(encoder, SeriesEncoder):
            width = len(encoder.scale.mean)
            if len(row) != width:
                raise DataError(f"{SOURCE}, {where} has {len(row)} values, expected one for each of {width} variables")
            values = np.array([[self._number(value, name, where) for name, value in row.items()]])
            return [torch.from_numpy(encoder.scale.apply(encoder.scale.single(values)))]
        name = str(self.task.columns.get("text", "text"))
        if name not in row and len(row) == 1:
            name = next(iter(row))
        if name not in row:
            raise DataError(f'{SOURCE}, {where} has no column "{name}": there is {", ".join(map(str, row))}')
        tokens = Texts.of([str(row[name])]).tokens
        # A piece without a word is read as one unknown word, as an empty text is.
        indices = encoder.vocabulary.indices(tokens.words(0) or [""]).astype(np.int64)
        return [torch.from_numpy(indices[k : k + 1]) for k in range(len(indices))]

    def _number(self, value: Any, name: str, where: str) -> float:
        number = number_of(value, name, where, self._read)
        if math.isnan(number):
            raise DataError(f'{SOURCE}, column "{name}": {where} is empty, expected a finite number')
        return number
