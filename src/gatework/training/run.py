"""A run: one training of one recipe, as a folder. After training, code reads this folder and nothing else."""

from __future__ import annotations

import html
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatework import cells, tasks
from gatework._files import atomic, is_occupied, read_arrays, read_json, read_tensors
from gatework._threads import checked_count
from gatework.data._panic import panics_kept_back
from gatework.data.learnt import LearntExamples
from gatework.errors import RunError, UsageError
from gatework.formatting import number
from gatework.recipe import Recipe, read_recipe
from gatework.tasks import Scores, metric_title
from gatework.tasks._blend import NETWORK_ALONE
from gatework.training.hub import fetched, is_address
from gatework.training.predictor import Predictor

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from torch import nn

    from gatework.tasks import Task
    from gatework.tasks._inference import Inference


NETWORK_TABLE = "network"
"""The table of what the network alone says of the test part, where more than it answers."""
FURTHER_TABLE = "further"
"""The table of what the task's further trainings came to, and the folder of these until it is written."""
ANSWER_FILE = "answer.json"
"""What answers beside the network, and all that this needs."""
CELL_FILE = "cell.json"
"""A cell of a person's own: what it was called, the digest of its equations, and the equations themselves."""
LEARNT_FILE = "hashes.parquet"
"""The hashes of the examples that were learnt from, where these can be known again."""

_LONGEST_REASON = 200
# Sums of products of two such still fit float32.
_LARGEST_WEIGHT = 1e15


@dataclass(frozen=True)
class Run:
    """A run folder.

    Attributes:
        path: The folder.
        recipe: What was trained on what, how.
    """

    path: Path
    recipe: Recipe

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Run:
        """Opens a run folder, finished or not, or a run of the Hugging Face hub by `hf://OWNER/NAME`.

        Raises:
            RunError: There is no such folder or run, or it is not a run folder.
        """
        path = fetched(str(path)) if is_address(str(path)) else Path(path)
        if not path.is_dir():
            what = "is a file" if path.exists() else "is not there"
            raise RunError(f"{path} {what}: a run folder, made by gatework train, was expected")
        if not (path / "recipe.toml").exists():
            raise RunError(f"{path} is not a run folder: it holds no recipe.toml; give the folder that --out named")
        try:
            recipe = read_recipe(path / "recipe.toml")
        except UsageError as error:
            raise RunError(f"{error}; restore it or train anew") from None
        return cls(path, _with_kept_cell(path, recipe))

    @property
    def is_finished(self) -> bool:
        """Whether training has ended and the run can predict."""
        return (self.path / "summary.json").exists()

    @cached_property
    def task(self) -> Task:
        """The task as it was fitted: vocabulary, classes, scaling."""
        state = read_json(self.path / "task.json")
        if self.is_finished and (self.path / ANSWER_FILE).exists():
            state["answer"] = read_json(self.path / ANSWER_FILE)
        try:
            return tasks.get(self.recipe.task).from_state(state)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
            files = f"{self.path / 'task.json'}{f' or {ANSWER_FILE}' if 'answer' in state else ''}"
            raise RunError(f"{files} is corrupt ({error!r}); restore it or train anew") from None

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Final metrics, parameters, seconds, steps per second.

        Raises:
            RunError: Training has not ended.
        """
        if not self.is_finished:
            raise RunError(
                f"{self.path} is not finished; go on with: gatework train --resume {shlex.quote(str(self.path))}"
            )
        return read_json(self.path / "summary.json")

    @cached_property
    def environment(self) -> dict[str, Any]:
        """What it was trained with and on: versions, machine, threads, seed, the data's digest and notes."""
        return read_json(self.path / "environment.json")

    @property
    def threads(self) -> int:
        """How many threads it is trained with, also when it is resumed.

        Raises:
            RunError: Its environment says no such number.
        """
        count = self.environment.get("threads")
        try:
            if type(count) is int:
                return checked_count(count, "threads")
        except UsageError:
            pass
        file = self.path / "environment.json"
        raise RunError(f"{file} is corrupt (threads is {count!r:.40}); restore it or train anew")

    @cached_property
    def scores(self) -> Scores:
        """What it reached on its own test part; the metrics have the prefix "test_".

        Raises:
            RunError: Training has not ended, or a file is corrupt.
        """
        metrics, file = self.summary["metrics"], test_part_of(self.path)
        is_alone = network_answers(self.path).name == "answers.parquet"
        others = {} if is_alone else {NETWORK_ALONE: self.summary["network"]}
        others |= self.summary.get("simple", {})
        if file is None:
            return Scores(metrics, baselines=others)
        return Scores(metrics, read_table(self.path / "answers.parquet"), others, test=read_table(file))

    @cached_property
    def learnt(self) -> LearntExamples | None:
        """The examples that it was made from, by their hashes; None where none are kept.

        Raises:
            RunError: The file is corrupt.
        """
        file = self.path / LEARNT_FILE
        if not file.exists():
            return None
        try:
            return LearntExamples.from_table(read_table(file))
        except ValueError as error:
            raise RunError(f"{file} is corrupt ({error}); restore it, or remove it") from None

    @property
    def backtest(self) -> pl.DataFrame:
        """What it says of its own test part beside what came to pass, as rows that a person reads.

        Raises:
            RunError: Training has not ended, or the run keeps no answers.
        """
        scores, table = self.scores, self.task.row_table
        if table:
            return read_table(self.path / f"{table}.parquet")
        if scores.answers is None or scores.test is None:
            raise RunError(f"{self.path} does not keep its test part; name a file with known answers")
        return self.task.backtest(scores.answers, scores.test)

    @cached_property
    def inference(self) -> Inference | None:
        """What answers for it without torch; None where it needs its network in torch.

        Raises:
            RunError: Training has not ended, or a file is corrupt.
        """
        _ = self.summary
        file = self.path / "model.safetensors"
        weights = read_arrays(file)
        inference = self.task.inference(self.recipe.model, weights)
        if inference is not None:
            _check_weights(file, weights)
        return inference

    @cached_property
    def network(self) -> nn.Module:
        """The trained network, ready to predict.

        Raises:
            RunError: Training has not ended, or a file is corrupt.
        """
        _ = self.summary
        file = self.path / "model.safetensors"
        try:
            model = self.task.model(self.recipe.model)
        except (TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise RunError(
                f"{self.path} says nothing that a network can be made of ({error!r}); restore it or train anew"
            ) from error
        tensors, _ = read_tensors(file)
        try:
            model.load_state_dict(tensors)
        except RuntimeError as error:
            # torch names the module first; a module of ours gives the reason alone.
            reason = " ".join(str(error).removeprefix("Error(s) in loading state_dict for").split())[:_LONGEST_REASON]
            raise RunError(f"{file} does not fit the network of {self.path / 'recipe.toml'} ({reason})") from None
        # Buffers hold what a calibration says, as that a series had no value to learn from.
        _check_weights(file, {name: weight.detach().float().numpy() for name, weight in model.named_parameters()})
        return model.eval()

    def _repr_html_(self) -> str:
        """The run in a notebook: what it learnt, how well, at what cost."""
        rows = [("run", str(self.path)), ("task", self.recipe.task), ("cell", self.recipe.model.cell)]
        if self.is_finished:
            blend = self.task.blend  # its metrics are known by their titles once the task is
            rows += [] if blend is None else [("answer", blend.name)]
            rows += [(metric_title(name), number(value)) for name, value in self.summary["metrics"].items()]
            rows += [("parameters", f"{self.summary['parameters']:,}"), ("seconds", number(self.summary["seconds"]))]
        else:
            rows.append(("state", "not finished"))
        left = 'style="text-align:left"'
        cells = "".join(f"<tr><th {left}>{html.escape(a)}</th><td {left}>{html.escape(b)}</td></tr>" for a, b in rows)
        return f"<table>{cells}</table>"

    @cached_property
    def predictor(self) -> Predictor:
        """What answers new examples; see `gatework.training.Predictor`."""
        return Predictor(self)

    def evaluate(self, source: Any, **options: Any) -> Scores:
        """How good the network is on examples with known answers; see `Predictor.evaluate()`."""
        return self.predictor.evaluate(source, **options)

    def predict(self, source: Any = None, **options: Any) -> Any:
        """What the network says of new examples; see `Predictor.answer()`."""
        return self.predictor.answer(source, **options)


def _with_kept_cell(path: Path, recipe: Recipe) -> Recipe:
    """The recipe with the cell that the run has kept in place of one of a Python file, which is not executed.

    Raises:
        RunError: The recipe names a file and the run has kept no cell, or that is corrupt.
    """
    file = path / CELL_FILE
    if file.exists():
        content = read_json(file)
        if not isinstance(content.get("cell"), dict):
            raise RunError(f"{file} is corrupt (it holds no cell); restore it or train anew")
        return replace(recipe, model=replace(recipe.model, cell=cells.adopt(content["cell"])))
    if ":" in recipe.model.cell:
        raise RunError(
            f'{path} names the cell "{recipe.model.cell}" of a Python file and has kept none of its equations '
            f"({CELL_FILE} is missing); code that a run names is never executed: train it anew"
        )
    return recipe


def _check_weights(file: Path, weights: Mapping[str, np.ndarray]) -> None:
    """Refuses weights that no training ends with, of which every answer would be NaN.

    Raises:
        RunError: One is no number, or so large that sums of it are none.
    """
    for name, values in weights.items():
        if values.dtype.kind == "f" and not (abs(values) <= _LARGEST_WEIGHT).all():
            raise RunError(f'{file} is corrupt (a weight of "{name}" is no usable number); restore it or train anew')


def refuse_occupied(path: Path) -> None:
    """Raises a RunError if `path` is a file or a folder with something in it."""
    if is_occupied(path):
        kind = "a file" if path.is_file() else "a run folder" if (path / "recipe.toml").exists() else "not empty"
        hint = f"go on with it by --resume {shlex.quote(str(path))}, or " if kind == "a run folder" else ""
        raise RunError(f"{path} exists already and is {kind}; {hint}name another folder with --out")


def test_part_of(path: Path) -> Path | None:
    """The file with the test part of a run: its own, or that of the comparison it belongs to; None before there is one.

    Args:
        path: The run folder.
    """
    comparison = path.resolve().parent.parent
    is_compared = (comparison / "plan.json").is_file() or (comparison / "comparison.json").is_file()
    homes = (path, comparison) if is_compared else (path,)
    return next((file for home in homes if (file := home / "test.parquet").is_file()), None)


def network_answers(path: Path) -> Path:
    """The file with what the network alone says of the test part of a run.

    Args:
        path: The run folder.
    """
    alone = path / f"{NETWORK_TABLE}.parquet"
    return alone if alone.is_file() else path / "answers.parquet"


def read_table(path: Path) -> pl.DataFrame:
    """Reads a Parquet file.

    Raises:
        RunError: The file is missing or corrupt.
    """
    import polars as pl

    try:
        with panics_kept_back():
            return pl.read_parquet(path, glob=False)
    except FileNotFoundError:
        raise RunError(f"{path} is missing from the folder; run the comparison or training again") from None
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise RunError(f"{path} cannot be read: {reason}; run the comparison or training again") from None


def write_table(path: Path, table: pl.DataFrame) -> None:
    """Writes a table as a Parquet file in one piece."""
    with atomic(path) as temporary:
        table.write_parquet(temporary)
