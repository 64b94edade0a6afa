"""A run that is served: what it takes, what it answers, and an example of both."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from gatework import training
from gatework.data.series import SeriesEncoder
from gatework.errors import DataError, GateworkError, UsageError, nearest
from gatework.options import TASKS, Option
from gatework.serve._limits import Limits
from gatework.serve._rows import Pace
from gatework.serve._source import Source
from gatework.tasks._stream import Stream
from gatework.training.predictor import Predictor
from gatework.training.run import Run, read_table, test_part_of

VERSION = "1"
"""The version that protocols ask for; a run that was trained again is another run."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ROWS = 24
# Of an answer, in the longest inputs; and whole numbers that say nothing of it.
_LARGEST_SIZE = 10
_NO_SIZES = ("seed", "top_k", "beam")


class ServedModel:
    """A finished run under the name by which it is asked.

    Attributes:
        name: The name.
        predictor: The run, opened; what it says of an example does not depend on what else is asked.
        takes: The forms of what it answers: "texts", "series", "rows" or "nothing".
        example: The body of a request that it answers; None where none could be made.
        answer: The answer to that, None likewise.
        pace: What a row of its streams takes.

    Args:
        name: The name.
        run: The run.
        threads: The threads that a batch is computed with.
        weights: What its recurrent layers compute on, as for `Predictor`.

    Raises:
        UsageError: The name cannot stand in an address, or the network has no int8 form.
        RunError: The run is not finished, or corrupt.
    """

    def __init__(self, name: str, run: Run, threads: int = 1, weights: str = "float32") -> None:
        if not _NAME.fullmatch(name):
            raise UsageError(f'"{name}" cannot stand in an address; name the run with letters and digits as NAME=RUN')
        self.name, self._weights = name, weights
        self.predictor = Predictor(run, weights)
        self._is_each_alone = self.predictor.answer_each_alone()
        self.pace = Pace()
        self._threads = threads
        if self.predictor.inference is not None:
            self.predictor.inference.threads = threads
        task = self.task = run.task
        self.takes = (*task.takes, *(() if task.needs_input else ("nothing",)))
        if not self.takes:
            raise UsageError(
                f'a run of the task "{run.recipe.task}" cannot be served: it reads files of this machine; leave '
                f"{run.path} out, and use gatework predict {run.path} {task.example_input}"
            )
        self.example = self._example()
        self.answer = self._answer_to_example()
        if self.answer is None:
            self.example = None

    @cached_property
    def digest(self) -> bytes:
        """What tells its weights from those of another training."""
        with open(self.predictor.run.path / "model.safetensors", "rb") as file:
            return hashlib.file_digest(file, "sha256").digest()

    @property
    def needs_torch(self) -> bool:
        """Whether torch computes its answers, as nothing else can yet."""
        return self.predictor.inference is None

    @cached_property
    def can_stream(self) -> bool:
        """Whether it answers row by row."""
        try:
            self.stream()
        except UsageError:
            return False
        return True

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the rows that it takes, in the order of the training table's roles."""
        roles = getattr(self.task, "columns", {})
        if not isinstance(roles, Mapping):
            return ()
        named = [roles[role] for role in ("time", "series", "text", "inputs", "target") if role in roles]
        if {"text", "inputs", "values"} & set(roles):
            named = [roles[role] for role in ("text", "inputs", "values") if role in roles]
        return tuple(name for names in named for name in ([names] if isinstance(names, str) else names))

    @property
    def variables(self) -> int | None:
        """The variables of each step of a series; None where it takes no series."""
        encoder = getattr(self.task, "encoder", None)
        return len(encoder.scale.mean) if isinstance(encoder, SeriesEncoder) else None

    @property
    def options(self) -> Mapping[str, Option]:
        """The options of a prediction that a request may give, by name."""
        if not self.task.takes_options:
            return {}
        return TASKS.find(self.predictor.run.recipe.task).asked_by_strangers

    def check(self, source: Source, limits: Limits) -> None:
        """Refuses what the model does not take.

        Raises:
            DataError: It takes another form.
            UsageError: It has no such option, or the option has no such value, or much too much is asked for.
        """
        if source.form not in self.takes:
            raise DataError(f'"{self.name}" takes {" or ".join(self.takes)}, not {source.form}')
        for name, value in source.options.items():
            if name not in self.options:
                raise UsageError(f'"{self.name}" has no option "{name[:40]}": {nearest(name, self.options)}')
            if problem := self.options[name].problem(self.options[name].converted(value)):
                raise UsageError(problem)
        most, size = _LARGEST_SIZE * limits.length, source.count
        for name, option in self.options.items():
            value = source.options.get(name, option.default)
            if int in option.members and isinstance(value, int) and name not in _NO_SIZES:
                size *= max(value, 1)
        if size > most:
            raise UsageError(f"{size:,} values are asked for at once, expected at most {most:,}; ask for less")

    def group(self, source: Source) -> Hashable:
        """What can be answered together with a source; None where its answer is not that of each example alone."""
        return (self.name, source.group) if self._is_each_alone and source.group else None

    def predict(self, sources: Sequence[Source]) -> Sequence[pl.DataFrame]:
        """What is said of each source; several are answered at once, whose examples do not depend on each other."""
        if len(sources) == 1:
            return [self._rows(sources[0])]
        merged = self._rows(_together(sources))
        ends = np.cumsum([source.count for source in sources])
        return [merged.slice(end - source.count, source.count) for end, source in zip(ends, sources, strict=True)]

    def _rows(self, source: Source) -> pl.DataFrame:
        options = {name: self.options[name].converted(value) for name, value in source.options.items()}
        return self.predictor.rows(self.predictor.read(source.value, **options))

    def evaluate(self, sources: Sequence[Source]) -> Sequence[dict[str, Any]]:
        """How good the model is on each source, which has the answers too: metrics, and those of simple methods."""
        with training.runtime.computing(self._threads):
            measured = [self.predictor.evaluate(source.value) for source in sources]
        return [{"metrics": scores.metrics, "baselines": dict(scores.baselines)} for scores in measured]

    def stream(self) -> Stream:
        """A sequence that begins.

        Raises:
            UsageError: The network needs the whole sequence.
        """
        return Predictor(self.predictor.run, self._weights).stream()

    def _example(self) -> dict[str, Any] | None:
        """A request about the first example of the test part, or the end of the table."""
        try:
            return _first_of(self)
        except (GateworkError, KeyError, pl.exceptions.PolarsError):
            return None

    def _answer_to_example(self) -> pl.DataFrame | None:
        from_example = _source_of_example(self.example)
        try:
            return None if from_example is None else self._rows(from_example)
        except DataError:
            # A forecast that needs to know what comes is asked with it.
            return None


def _first_of(model: ServedModel) -> dict[str, Any] | None:
    path, columns = model.predictor.run.path, model.columns
    if "nothing" in model.takes:
        return {}
    file = test_part_of(path)
    test = read_table(file) if file else pl.DataFrame()
    if "texts" in model.takes and test.height:
        return {"text": str(test["text"][0])}
    if "series" in model.takes and test.height:
        values = np.asarray(test["input"].to_list()[0], dtype=np.float64)
        variables = model.variables or 1
        return {"series": values.tolist() if variables == 1 else values.reshape(-1, variables).tolist()}
    table = read_table(path / f"{model.task.row_table}.parquet").tail(_ROWS).select(columns)
    times = [name for name in table.columns if table[name].dtype.is_temporal()]
    return {"rows": table.with_columns(table[name].dt.strftime("%Y-%m-%dT%H:%M:%S%.f") for name in times).to_dicts()}


def _source_of_example(example: Mapping[str, Any] | None) -> Source | None:
    if example is None:
        return None
    if "text" in example:
        return Source("texts", [example["text"]], 1)
    if "series" in example:
        return Source("series", np.array([example["series"]]), 1)
    if "rows" in example:
        return Source("rows", pl.DataFrame(example["rows"]), len(example["rows"]))
    return Source("nothing", None, 1)


def _together(sources: Sequence[Source]) -> Source:
    """Texts, or series of one length, as one source."""
    arrays = [source.value for source in sources if isinstance(source.value, np.ndarray)]
    count = sum(source.count for source in sources)
    if arrays:
        return Source("series", np.concatenate(arrays), count, sources[0].options)
    texts = [text for source in sources for text in source.value or []]
    return Source("texts", texts, count, sources[0].options)
