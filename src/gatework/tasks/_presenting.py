"""Answers as a person sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from gatework.errors import UsageError
from gatework.tasks._core import Core

if TYPE_CHECKING:
    import polars as pl
    from torch import nn

    from gatework.data.dataset import Split
    from gatework.tasks._chart import Chart
    from gatework.tasks._live import Live
    from gatework.tasks._section import Answered, ReportSection


class Presenting(Core):
    """How answers are shown: as lines, files, charts and sections of a report; in what it says nothing is decided.

    Attributes:
        shown: The metrics that a table shows first, without the "test_" prefix; all where it is empty.
        row_table: The table of a run that has the rows a person reads, where it is not its answers themselves.
        formats: Forms beside tables that predictions can be written in, such as "srt"; also the endings of files.
        next_commands: What else a finished run invites to, with "{run}" for its folder.
    """

    shown: ClassVar[tuple[str, ...]] = ()
    row_table: ClassVar[str] = ""
    formats: ClassVar[tuple[str, ...]] = ()
    next_commands: ClassVar[tuple[str, ...]] = ()

    @property
    def pipeline(self) -> str:
        """What the Hugging Face hub calls such a task; empty where it has no word for it."""
        return ""

    def lines(self, predictions: pl.DataFrame) -> list[str] | None:
        """Predictions as lines of text, where a person reads them so; None where a table is read better."""
        return None

    def summary(self, predictions: pl.DataFrame) -> list[str]:
        """What predictions amount to, one line each, beside the table of them; nothing by default."""
        return []

    def given(self, beside: pl.DataFrame | None) -> frozenset[str]:
        """The columns of a table of answers that hold a person's own values, which are never rounded.

        Args:
            beside: What the person's table says of the examples beside what is answered.
        """
        return frozenset(("actual", *(() if beside is None else beside.columns)))

    def highlights(self, rows: pl.DataFrame) -> list[str]:
        """What the `row_table` of a finished run comes to, one line each, as training ends with; nothing by default."""
        return []

    def written(self, predictions: pl.DataFrame, form: str) -> str:
        """Predictions in one of the task's `formats`, as the content of a file."""
        raise UsageError(f'the task "{self.name}" writes no {form}')

    def charts(self, split: Split, rows: pl.DataFrame) -> list[Chart]:
        """A picture of predictions.

        Args:
            split: What was predicted, as `read()` gives it.
            rows: What `predict()` says of it.

        Raises:
            UsageError: The task draws none.
        """
        raise UsageError(f'the task "{self.name}" draws no picture of its predictions')

    def backtest(self, answers: pl.DataFrame, test: pl.DataFrame) -> pl.DataFrame:
        """Answers beside what came to pass, as rows that a person reads.

        Args:
            answers: The answers to the test part.
            test: The test part, as `Split.table()` gives it.
        """
        return test.hstack(answers.drop([name for name in answers.columns if name in test.columns]))

    def breakdown(self, answers: pl.DataFrame, test: pl.DataFrame) -> pl.DataFrame | None:
        """The figures of each part that examples fall into, such as a class or a series; None where there are none.

        Args:
            answers: What is said of examples.
            test: The examples, or the rows of `row_table` of a finished run.
        """
        return None

    def live(self, model: nn.Module, given: Split | None, test: pl.DataFrame | None) -> Live | None:
        """What a page needs in which a trained network runs; None where the task has no such page of its own.

        Args:
            model: The trained network.
            given: Inputs that a person gave for the page to begin with, as `read()` gives them.
            test: The test part as the run keeps it, or the rows of `row_table`, for examples.
        """
        return None

    @classmethod
    def recipe_in_use(cls, recipe: Mapping[str, Any], state: Mapping[str, Any]) -> Mapping[str, Any]:
        """A recipe for a reader: with what was decided where it left a choice, and without what had no effect.

        Args:
            recipe: The recipe's sections.
            state: The fitted task, as `state()` gives it.
        """
        unused = cls.options.unused if cls.options else frozenset()
        return {
            name: {key: value for key, value in part.items() if f"{name}.{key}" not in unused}
            if isinstance(part, Mapping)
            else part
            for name, part in recipe.items()
        }

    @classmethod
    def sections(cls, answered: Answered) -> list[ReportSection]:
        """What a report shows of answers beyond their metrics; nothing by default.

        Args:
            answered: The entries of a run or a comparison with their answers to the test part.
        """
        return []
