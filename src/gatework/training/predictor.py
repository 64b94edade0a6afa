"""A run opened to answer: rows of a table, or a stream with carried state. All that predicts stands on it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gatework import training
from gatework.data.dataset import Split
from gatework.data.frames import like
from gatework.data.lines import SOURCE, LineReader, decoded
from gatework.data.reading import Reading
from gatework.data.store.sources import TableSource, is_answered_in_parts
from gatework.data.tables import Table, is_path
from gatework.errors import DataError, UsageError
from gatework.formatting import printable
from gatework.options import READING, TASKS
from gatework.tasks._stream import Row, answers_of
from gatework.tasks._task import Scores, Trained, refuse_options

if TYPE_CHECKING:
    import polars as pl
    from torch import nn

    from gatework.data.learnt import Recount
    from gatework.recipe import Recipe
    from gatework.tasks._stream import Stream
    from gatework.tasks._tally import MeasuredParts
    from gatework.training.run import Run


_PIECE = 1 << 12
"""The most bytes of a stream that are answered at once."""


WEIGHTS = ("float32", "int8")
"""What the recurrent layers of a run that answers may compute on."""


class ReadsBytes(Protocol):
    """What gives bytes as they come, as an open file does, or a microphone."""

    def read(self, count: int = -1, /) -> bytes:
        """The bytes that came next, as many at most; none at the end."""
        ...


class Predictor:
    """What a trained run says of examples that it has not seen.

    Rows and streams are answered without torch where the task has a way; see `gatework.tasks._inference`.

    Args:
        run: The finished run.
        weights: What its recurrent layers compute on: "float32", or "int8" where `gatework.scan.quantized` knows them.

    Attributes:
        run: The run.
        task: Its task.
        inference: What answers without torch; None where torch is needed.

    Raises:
        RunError: Training has not ended, or a file of the run is corrupt.
        UsageError: Its network has no int8 form.
    """

    def __init__(self, run: Run, weights: str = "float32") -> None:
        self.run, self.task, self.inference = run, run.task, run.inference
        self._is_quantized = _is_int8(weights)
        if self._is_quantized:
            if self.inference is None and not self.task.is_quantizable:
                raise UsageError(
                    f"{run.path} has no int8 form: only classifiers and regressors, and what transcribes, with a "
                    "built-in cell and nothing around it have one; leave out weights int8"
                )
            self.inference = None if self.inference is None else self.inference.quantized()
        if self.inference is None:
            _ = self.network

    @cached_property
    def network(self) -> nn.Module:
        """The trained network in torch, which is imported when it is first needed."""
        return training.quantized(self.run.network) if self._is_quantized else self.run.network

    def read(self, source: Any = None, **options: Any) -> Split:
        """Reads what is to be answered, as training read its data; its `notes` say what was found in it.

        Args:
            source: A text, a list of texts, a series as an array, a path or a data frame; None where the task needs no
                input, as a forecast that follows its training table.
            options: Options of a prediction that the task has, as `horizon`.

        Raises:
            DataError: The data are not usable, or hold nothing to answer.
            UsageError: The task has no such option, or needs a source.
        """
        if source is None and self.task.needs_input:
            raise UsageError("nothing was given to answer; give a text, a list of them, a path or a data frame")
        recipe, options = self._recipe(options)
        return _some(self.task.read(source, recipe, **options), source)

    def rows(self, split: Split) -> pl.DataFrame:
        """What is said of examples that `read()` gave, as rows of a table."""
        if self.inference is not None:
            return self.inference.predict(split)
        return self.task.predict(self.network, split)

    def pieces(self, split: Split) -> Iterator[str] | None:
        """What is said of examples, piece by piece as it comes, where that is a text to be read; None elsewhere."""
        if self.inference is not None:
            return self.inference.pieces(split)
        return self.task.pieces(self.network, split)

    def answer_each_alone(self) -> bool:
        """Makes what is said of an example the same whatever is asked with it, to the last bit, where there is a way.

        Returns:
            Whether it is so now, and several are answered faster together.
        """
        if self.inference is not None:
            return self.inference.is_batched
        self.network = training.EachAlone.of(self.network)
        return isinstance(self.network, training.EachAlone)

    def answer(self, source: Any = None, **options: Any) -> Any:
        """What is said of a source, as a table of the caller's kind: polars, or that of the frame given.

        Args:
            source: What `read()` takes; or a Split.
            options: As for `read()`.

        Raises:
            DataError: The data are not usable, or hold nothing to answer.
            UsageError: The task has no such option.
        """
        split = _some(source) if isinstance(source, Split) else self.read(source, **options)
        return like(source, self.rows(split))

    def is_in_parts(self, source: Any, **options: Any) -> bool:
        """Whether a source is a large table on disk, each row of which is an example of its own.

        Args:
            source: What `read()` takes.
            options: As for `read()`.
        """
        if not (self.task.reads_parts and isinstance(source, (str, os.PathLike)) and is_path(str(source))):
            return False
        return is_answered_in_parts(Path(source), Reading.given(self._recipe(options)[0].data))

    def answer_parts(self, table: str | os.PathLike[str], **options: Any) -> Iterator[pl.DataFrame]:
        """What is said of the rows of a table on disk, part by part in constant memory; as `read_parts()`."""
        return map(self.rows, self.read_parts(table, **options))

    def read_parts(
        self,
        table: str | os.PathLike[str],
        tell: Callable[[Sequence[str]], None] | None = None,
        **options: Any,
    ) -> Iterator[Split]:
        """Reads what is to be answered of a table on disk, part by part.

        Args:
            table: A file, or a folder of Parquet files, which are read in order of their names, also below folders as
                `year=2024`.
            tell: Is given what was left out, once all is read.
            options: As for `read()`.

        Raises:
            UsageError: The task does not answer row by row.
            DataError: A file cannot be read.
        """
        return (self.read(part, **options) for part in self._parts(table, options, tell))

    def measure_parts(self, table: str | os.PathLike[str], **options: Any) -> MeasuredParts:
        """How good the network is on a table on disk with known answers, part by part in constant memory.

        Args:
            table: As for `read_parts()`.
            options: As for `evaluate()`.

        Raises:
            UsageError: The task does not answer row by row.
            DataError: A file cannot be read.
        """
        recipe, given = self._recipe(options)
        splits = (self.task.read_known(part, recipe, **given) for part in self._parts(table, options))
        measured = self.task.measure_parts(self.network, splits, printable(str(table)))
        measured.recount = self._recount()
        return measured

    def _parts(
        self,
        table: str | os.PathLike[str],
        options: Mapping[str, Any],
        tell: Callable[[Sequence[str]], None] | None = None,
    ) -> Iterator[Table]:
        if not self.task.reads_parts:
            raise UsageError(f'the task "{self.task.name}" reads a table as a whole and cannot read {table} by parts')
        return _told(TableSource.of(Path(table), Reading.given(self._recipe(options)[0].data)), tell)

    def evaluate(self, source: Any, **options: Any) -> Scores:
        """How good the network is on a source with known answers, beside simple methods where the task has such.

        A large table whose rows are examples of their own is read part by part; its answers are counted, not kept.

        Args:
            source: A path, a folder, a data frame, the name of a data set (its test part), or a Split.
            options: Options of an evaluation that the task has, as `label`.

        Raises:
            DataError: The data are not usable.
        """
        if isinstance(source, Split):
            evaluation = self.task.evaluate(self.network, self.task.encode(_some(source)))
            return Scores(evaluation.metrics, evaluation.answers)
        if self.is_in_parts(source, **options):
            return self.measure_parts(source, **options).scores
        recipe, options = self._recipe(options)
        scores, recount = self.task.measure(self.network, source, recipe, **options), self._recount()
        if recount is None or scores.inputs is None:
            return scores
        recount.add(scores.inputs)
        return replace(scores, notes=(*scores.notes, *recount.notes))

    def _recount(self) -> Recount | None:
        """What counts the examples that the run has learnt from; None where that is not known."""
        return None if self.run.learnt is None else self.run.learnt.recount()

    def align(self, source: Any) -> tuple[Split, pl.DataFrame]:
        """Where in each input of a source each part of its known answer lies, as when a word was said.

        Args:
            source: As for `evaluate()`.

        Raises:
            UsageError: The task cannot say.
        """
        split = _some(self.task.read_known(source, self.run.recipe), source)
        return split, self.task.align(self.network, split)

    def backtest(self, source: Any, scores: Scores) -> pl.DataFrame:
        """Answers to a source beside what is known of it, as rows that a person reads.

        Args:
            source: What `evaluate()` took.
            scores: What it gave.
        """
        if scores.answers is None or scores.test is None:
            return self.rows(self.read(source))
        return self.task.backtest(scores.answers, scores.test)

    def _recipe(self, options: Mapping[str, Any]) -> tuple[Recipe, dict[str, Any]]:
        """The recipe with the options of reading that were given in place of its own, and all other options."""
        reading = {o.name: o.qualified for o in TASKS.find(self.run.recipe.task).prediction_options if o in READING}
        given = {reading[name]: value for name, value in options.items() if name in reading and value is not None}
        recipe = self.run.recipe.changed(**given) if given else self.run.recipe
        return recipe, self._opened({n: value for n, value in options.items() if n not in reading})

    def _opened(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options with other runs opened, where the task answers together with them."""
        known = {option.name for option in TASKS.find(self.run.recipe.task).prediction_options}
        if options.get("ensemble") is None or "ensemble" not in known:
            return options
        runs = {path: training.Run.open(path) for path in _names(options["ensemble"])}
        return {**options, "ensemble": {path: Trained(run.task, run.network) for path, run in runs.items()}}

    def stream(self, **options: Any) -> Stream:
        """Answers rows as they come, with carried state.

        Args:
            options: How the rows are read, where that differs from the training table.

        Raises:
            UsageError: The task or the network cannot go step by step.
        """
        recipe, options = self._recipe(options)
        refuse_options(self.task.name, options)
        if self.inference is not None:
            return self.inference.stream(recipe)
        return self.task.stream(self.network, recipe)

    def answer_bytes(
        self, source: ReadsBytes, tell: Callable[[Sequence[str]], None] | None = None, **options: Any
    ) -> Iterator[str]:
        """Answers bytes as they come, such as raw sound, where the task reads such.

        Args:
            source: What they are read from.
            tell: Is given what there is to say of the stream before it begins.
            options: Options of a prediction that the task has.

        Yields:
            One JSON object an answer.

        Raises:
            UsageError: The task or the network cannot.
            DataError: Nothing came.
        """
        recipe, options = self._recipe(options)
        stream, is_empty = self.task.byte_stream(self.network, recipe, **options), True
        if tell is not None:
            tell(getattr(stream, "notes", ()))
        while piece := source.read1(_PIECE) if isinstance(source, BufferedReader) else source.read(_PIECE):
            is_empty = False
            for answer in stream.answer_bytes(piece):
                yield json.dumps(answer, ensure_ascii=False)
        if is_empty:
            raise DataError(f"{SOURCE} holds nothing")
        for answer in stream.finish():
            yield json.dumps(answer, ensure_ascii=False)

    def answer_lines(self, lines: Iterable[str], **options: Any) -> Iterator[str]:
        """Answers lines one by one, each before the next is read.

        Args:
            lines: CSV with a header, or JSON objects, one a line.
            options: How they are read, where that differs from the training table.

        Yields:
            One JSON object a row, as `Stream.answer()` gives it.

        Raises:
            UsageError: The task or the network cannot go step by step.
            DataError: A line cannot be read, or there is none.
        """
        for answers in self.answer_blocks(([line] for line in lines), **options):
            yield from answers

    def answer_blocks(
        self,
        blocks: Iterable[Sequence[str]],
        tell: Callable[[Sequence[str]], None] | None = None,
        **options: Any,
    ) -> Iterator[list[str]]:
        """Answers lines block by block, each before the next is read; rows that wait together take a tenth of the time.

        Args:
            blocks: Lines as for `answer_lines()`, as many as there are at once.
            tell: Is given what was decided of how lines are read.
            options: How they are read, where that differs from the training table.

        Yields:
            For each block with rows, one JSON object a row.

        Raises:
            UsageError: The task or the network cannot go step by step.
            DataError: A line cannot be read, or there is none; the rows before it have been answered.
        """
        stream, is_empty = self.stream(**options), True
        # A stream of one's own need not say how its rows are read.
        reading, columns = getattr(stream, "reading", Reading()), getattr(stream, "columns", ())
        reader, told = LineReader(reading.separator, columns, reading.encoding), 0
        for block in decoded(blocks):
            rows, failure = _read(reader, block)
            if tell is not None and len(reader.notes) > told:
                tell(reader.notes[told:])
                told = len(reader.notes)
            written: list[str] = []
            try:
                written.extend(map(_AS_JSON, answers_of(stream, rows)))
            except DataError as error:  # what was answered before it stands first
                failure = error
            if written:
                is_empty = False
                yield written
            if failure is not None:
                raise failure
        if is_empty:
            raise DataError(f"{SOURCE} holds no rows; CSV with a header, or a JSON object a line, was expected")


def _told(source: TableSource, tell: Callable[[Sequence[str]], None] | None) -> Iterator[Table]:
    yield from source.parts()
    if tell is not None:
        tell(source.notes)


def _is_int8(weights: str) -> bool:
    if weights not in WEIGHTS:
        raise UsageError(f'weights is "{weights}", expected {" or ".join(WEIGHTS)}')
    return weights == "int8"


def _names(given: str | Sequence[str]) -> list[str]:
    """The names of a list, which a command line separates by commas."""
    if not isinstance(given, (str, Sequence)):
        raise UsageError(f"ensemble is {str(given)[:40]}, expected the folders of runs, separated by commas")
    names = given.split(",") if isinstance(given, str) else given
    return [str(name).strip() for name in names if str(name).strip()]


_AS_JSON = json.JSONEncoder(ensure_ascii=False).encode


def _read(reader: LineReader, lines: Sequence[str]) -> tuple[list[Row], DataError | None]:
    """The rows of some lines, up to the first that cannot be read, and what is wrong with that one."""
    rows: list[Row] = []
    try:
        for line in lines:
            if (row := reader.read(line)) is not None:
                rows.append(row)
    except DataError as error:
        return rows, error
    return rows, None


def _some(split: Split, source: Any = None) -> Split:
    """The same examples, of which there is at least one, read from this source.

    Raises:
        DataError: There is none.
    """
    if not len(split):
        where = printable(str(source)) if isinstance(source, (str, os.PathLike)) and str(source) else "the input"
        raise DataError(f"there is nothing to answer: {where} holds no example, and at least one was expected")
    return split
