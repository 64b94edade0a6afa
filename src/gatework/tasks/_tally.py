"""Answers that come part by part, which are counted and not kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from gatework.errors import DataError
from gatework.tasks._blend import NETWORK
from gatework.tasks._evaluation import Scores

if TYPE_CHECKING:
    import polars as pl
    from torch import nn

    from gatework.data.dataset import Split
    from gatework.data.learnt import Recount


_NUMBER = "example"


class Tally(Protocol):
    """What is counted of answers, in memory that does not grow with them."""

    def add(self, answers: pl.DataFrame) -> None:
        """Counts some answers."""
        ...

    def metrics(self) -> dict[str, float]:
        """How good they are, as the task's `metrics()` of all of them."""
        ...

    def breakdown(self) -> pl.DataFrame | None:
        """How good they are by class, as the task's `breakdown()`; None where it has none."""
        ...


class AnswersParts(Protocol):
    """A task whose answers can be counted."""

    def tally(self) -> Tally:
        """A count of nothing yet."""
        ...

    def answered(self, model: nn.Module, split: Split) -> Mapping[str, pl.DataFrame]:
        """What each method says of examples, by its name; what answers is called the network."""
        ...

    def tested(self, split: Split) -> pl.DataFrame:
        """Examples with what is known of them, one row each."""
        ...

    def backtest(self, answers: pl.DataFrame, test: pl.DataFrame) -> pl.DataFrame:
        """Answers beside what is known, as rows that a person reads."""
        ...

    def given(self, beside: pl.DataFrame | None) -> frozenset[str]:
        """The columns that a person gave."""
        ...


class MeasuredParts:
    """How good a network is on examples that come part by part; going through them measures it.

    Args:
        task: The task.
        model: The network.
        splits: The parts.
        where: What they are read from, for messages.

    Attributes:
        recount: What counts the examples that were learnt from, if anything does.
    """

    recount: Recount | None = None

    def __init__(self, task: AnswersParts, model: nn.Module, splits: Iterable[Split], where: str) -> None:
        self._task, self._model, self._where = task, model, where
        self._splits = iter(splits)
        self._tallies: dict[str, Tally] = {}
        self._count = 0

    def __iter__(self) -> Iterator[tuple[pl.DataFrame, Split]]:
        """The answers to each part, and the part."""
        for split in self._splits:
            answered = self._task.answered(self._model, split)
            for name, answers in answered.items():
                self._tallies.setdefault(name, self._task.tally()).add(answers)
            self._count += len(split)
            if self.recount is not None:
                self.recount.add(split.inputs)
            yield answered[NETWORK], split

    def backtest(self) -> Iterator[tuple[pl.DataFrame, frozenset[str]]]:
        """The answers to each part beside what is known, as rows for a person, and the columns that were given."""
        for answers, split in self:
            rows, given = self._task.backtest(answers, self._task.tested(split)), self._task.given(split.beside)
            if _NUMBER in rows.columns and _NUMBER not in given:
                # Examples without a name are numbered, through all parts.
                rows = rows.with_columns(rows[_NUMBER] + (self._count - len(split)))
            yield rows, given

    @property
    def scores(self) -> Scores:
        """What was reached on all parts; those that nobody went through are now.

        Raises:
            DataError: There is none.
        """
        for _ in self:
            pass
        if not self._count:
            raise DataError(f"there is nothing to answer: {self._where} holds no example, expected at least one")
        metrics = {name: tally.metrics() for name, tally in self._tallies.items()}
        breakdown = self._tallies[NETWORK].breakdown()
        notes = () if self.recount is None else self.recount.notes
        return Scores(metrics.pop(NETWORK), None, metrics, None, notes, breakdown, self._count)
