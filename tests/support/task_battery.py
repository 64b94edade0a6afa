"""What every task must do, whoever wrote it: `check_task(dataset, recipe, folder)` fails with what is wrong.

The dataset is tiny and the recipe small: the battery trains it three times.
"""

from __future__ import annotations

import dataclasses
import io
import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal

from gatework import tasks, training
from gatework._files import read_tensors
from gatework.data.dataset import Batch, Dataset
from gatework.errors import DataError
from gatework.options import AnswerOptions
from gatework.recipe import Recipe
from gatework.tasks import Task
from gatework.training.run import Run

EPSILON = float(torch.finfo(torch.float32).eps)


def check_task(dataset: Dataset, recipe: Recipe, folder: Path) -> None:
    """Runs the whole battery; the recipe names the task."""
    task = fitted(dataset, recipe)
    _check_description(task)
    _check_state(task, dataset)
    _check_leaks(task, dataset, recipe)
    _check_batches(task, dataset)
    torch.manual_seed(0)
    _check_loss(task, task.model(recipe.model), dataset)
    _check_learning(task, task.model(recipe.model), dataset)
    run = training.train(recipe.task, dataset, out=folder / "whole", recipe=recipe, threads=1)
    _check_evaluation(task, run.network, dataset)
    _check_answers(run, dataset)
    _check_baselines(run, dataset)
    _check_predictions(run, dataset)
    _check_resume(run, dataset, recipe, folder / "stopped")


def fitted(dataset: Dataset, recipe: Recipe) -> Task:
    """The recipe's task, fitted."""
    return tasks.get(recipe.task).fit(dataset, recipe.data)


def _check_description(task: Task) -> None:
    assert task.name == type(task).name != ""
    metric = tasks.get_metric(task.metric)
    assert task.metric in tasks.METRICS, "the metric that decides is registered"
    assert metric.lower_is_better == task.lower_is_better, "the registry and the task agree on the direction"
    unknown = [name for name in task.shown if name not in tasks.METRICS]
    assert not unknown, "every metric that is shown is registered"


def _check_state(task: Task, dataset: Dataset) -> None:
    again = type(task).from_state(json.loads(json.dumps(task.state(), allow_nan=False)))
    assert again.state() == task.state(), "state() goes through JSON"
    for part in (dataset.train, dataset.validation, dataset.test):
        index = np.arange(0, len(part), 3)
        _assert_equal(task.encode(part).batch(index), again.encode(part).batch(index))


def _check_leaks(task: Task, dataset: Dataset, recipe: Recipe) -> None:
    first, last = dataset.train.take(np.arange(1)), dataset.train.take(np.arange(len(dataset.train))[-2:])
    other = dataclasses.replace(dataset, validation=last, test=first)
    assert fitted(other, recipe).state() == task.state(), "what is learnt comes from the training part alone"


def _check_batches(task: Task, dataset: Dataset) -> None:
    examples = task.encode(dataset.train)
    assert len(examples) == len(examples.lengths) == len(dataset.train)
    index = np.array([len(examples) - 1, 0])
    batch = examples.batch(index)
    assert batch.lengths.tolist() == examples.lengths[index].tolist(), "a batch has the lengths that were promised"
    assert int(batch.lengths.min()) >= 1
    _assert_equal(examples.batch(index), batch)


def _check_loss(task: Task, model: torch.nn.Module, dataset: Dataset) -> None:
    """The loss of examples together is the sum over each alone, so that neither batches nor padding change it."""
    examples = task.encode(dataset.train)
    model.eval()
    count = min(len(examples), 6)
    with torch.no_grad():
        together = task.loss(model, examples.batch(np.arange(count)))
        alone = [task.loss(model, examples.batch(np.array([k]))) for k in range(count)]
    assert together.total.ndim == 0
    assert together.weight == sum(loss.weight for loss in alone) > 0, "weights add up"
    parts = [float(loss.total) for loss in alone]
    # Sums of float32 in another order differ by their rounding, once for each term of the weight and step of the scan.
    allowed = EPSILON * sum(map(abs, parts)) * (together.weight + int(examples.lengths.max()))
    assert abs(float(together.total) - sum(parts)) <= allowed, "losses add up over batches"


def _check_learning(task: Task, model: torch.nn.Module, dataset: Dataset) -> None:
    batch = task.encode(dataset.train).batch(np.arange(min(len(dataset.train), 16)))
    model.train()
    task.loss(model, batch).mean().backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    assert not [name for name, grad in gradients.items() if grad is None], "every parameter has a gradient"
    assert all(torch.isfinite(grad).all() for grad in gradients.values() if grad is not None)
    assert any(bool(grad.any()) for grad in gradients.values() if grad is not None)


def _check_evaluation(task: Task, model: torch.nn.Module, dataset: Dataset) -> None:
    evaluation = task.evaluate(model, task.encode(dataset.validation))
    assert math.isfinite(evaluation.loss)
    assert task.metric in evaluation.metrics
    assert set(task.shown) <= set(evaluation.metrics)
    assert all(isinstance(value, float) for value in evaluation.metrics.values()), "metrics are plain numbers"
    assert len(evaluation.answers) == len(dataset.validation), "one row of answers for each example"
    json.dumps(evaluation.metrics)
    alone = task.evaluate(model, task.encode(dataset.validation.take(np.arange(1)))).answers
    assert alone.schema == evaluation.answers.schema, "one example is answered in the columns of many"
    # One example in a batch of its own is summed in another order: the last digits of a float32 may differ.
    assert_frame_equal(alone, evaluation.answers[:1], rel_tol=1e-4, abs_tol=1e-5)


def _check_answers(run: Run, dataset: Dataset) -> None:
    answers = pl.read_parquet(run.path / "answers.parquet")
    assert len(answers) == len(dataset.test)
    again = run.task.metrics(answers)
    for name, value in again.items():
        assert value == pytest.approx(run.summary["metrics"][f"test_{name}"], nan_ok=True), f"{name} of the file"


def _check_baselines(run: Run, dataset: Dataset) -> None:
    answers = pl.read_parquet(run.path / "answers.parquet")
    baselines = run.task.baselines(dataset)
    names = [baseline.name for baseline in baselines]
    assert len(names) == len(set(names))
    for baseline in baselines:
        assert baseline.about.endswith("."), f"{baseline.name}: one sentence says what it does"
        assert baseline.seconds >= 0
        assert baseline.parameters >= 0
        assert baseline.answers.columns == answers.columns, f"{baseline.name} answers with the network's columns"
        assert len(baseline.answers) == len(answers)
        metrics = run.task.metrics(_through_parquet(baseline.answers))
        assert math.isfinite(metrics[run.task.metric]), f"{baseline.name} has a finite {run.task.metric}"
    beside, metric = run.task.beside(run.network, dataset), run.task.metric
    assert bool(beside) == bool(baselines), "a run keeps figures of simple methods"
    kept = {name: metrics[f"test_{metric}"] for name, metrics in run.summary.get("simple", {}).items()}
    is_alone = not run.recipe.section(AnswerOptions).blend
    said = {} if is_alone else {name: run.task.metrics(answers)[metric] for name, answers in beside.items()}
    assert kept == pytest.approx(said)


def _check_predictions(run: Run, dataset: Dataset) -> None:
    predictor = run.predictor
    many, one = predictor.rows(dataset.test), predictor.rows(dataset.test.take(np.arange(1)))
    assert len(many) >= len(one) > 0
    assert one.columns == many.columns, "one example is shown in the columns of many"
    json.dumps(many.to_dicts(), default=str)
    nothing = dataset.test.take(np.arange(0))
    for answer in (predictor.answer, predictor.evaluate):
        with pytest.raises(DataError, match="nothing to answer"):
            answer(nothing)


def _check_resume(run: Run, dataset: Dataset, recipe: Recipe, folder: Path) -> None:
    """A run that is cut off between two checkpoints ends with the very same bytes."""
    with pytest.raises(CutOff):
        training.train(recipe.task, dataset, out=folder, recipe=recipe, threads=1, progress=CutsOff(run))
    assert not Run.open(folder).is_finished
    again = training.resume(folder, dataset)
    whole, resumed = (read_tensors(path / "model.safetensors")[0] for path in (run.path, again.path))
    assert whole.keys() == resumed.keys()
    changed = [name for name, value in whole.items() if not _is_equal(value, resumed[name])]
    assert not changed, "resumed weights are the same, bit for bit"
    assert (again.path / "answers.parquet").read_bytes() == (run.path / "answers.parquet").read_bytes()


class CutOff(BaseException):
    """Nothing catches it, as nothing catches a kill."""


class CutsOff(training.Progress):
    """Ends the process's work within the last epoch, after the checkpoint of the one before."""

    def __init__(self, run: Run) -> None:
        self.epochs, self.last = run.recipe.training.epochs, 0

    def started(self, label: str, epochs: int, steps: int, done: int) -> None:
        """Notes which step is the first of the last epoch."""
        assert epochs >= 2, "the battery's recipe has at least two epochs"
        self.last = (epochs - 1) * steps + 1

    def stepped(self, label: str, done: int, loss: float) -> None:
        """Cuts off."""
        if done >= self.last:
            raise CutOff


def _assert_equal(first: Batch, second: Batch) -> None:
    one, two = first.tensors() | {"targets": first.targets}, second.tensors() | {"targets": second.targets}
    assert one.keys() == two.keys()
    for name, value in one.items():
        other = two[name]
        assert (value is None) == (other is None), name
        assert value is None or other is None or _is_equal(value, other), name


def _is_equal(first: torch.Tensor, second: torch.Tensor) -> bool:
    """Whether two tensors are the same, bit for bit; what is not known (NaN) is the same as itself."""
    return torch.allclose(first, second, rtol=0, atol=0, equal_nan=True)


def _through_parquet(table: pl.DataFrame) -> pl.DataFrame:
    file = io.BytesIO()
    table.write_parquet(file)
    return pl.read_parquet(io.BytesIO(file.getvalue()))
