"""A training of a run, from a new folder to a finished one."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gatework import cells, tasks
from gatework._files import make_folder, read_json, whole_folder, write_json, write_tensors, write_text
from gatework.data.learnt import LearntExamples
from gatework.data.store.inputs import PackedInputs
from gatework.errors import RunError
from gatework.formatting import printable
from gatework.options import AnswerOptions
from gatework.recipe import Recipe, recipe_to_toml
from gatework.tasks import Trained
from gatework.training import runtime
from gatework.training.before import beginning
from gatework.training.ranks import here
from gatework.training.run import (
    ANSWER_FILE,
    CELL_FILE,
    FURTHER_TABLE,
    LEARNT_FILE,
    NETWORK_TABLE,
    Run,
    refuse_occupied,
    test_part_of,
    write_table,
)

if TYPE_CHECKING:
    import polars as pl
    from torch import nn

    from gatework.data.dataset import Dataset
    from gatework.tasks import Evaluation, Task
    from gatework.training.loop import Trainer
    from gatework.training.progress import Progress
    from gatework.training.ranks import Alone


def create(path: Path, recipe: Recipe, task: Task, fingerprint: str, threads: int, notes: Sequence[str] = ()) -> Run:
    """Makes a run folder that holds all but what training will add; it appears in one piece.

    Args:
        path: The folder.
        recipe: What is trained, how.
        task: The task, fitted.
        fingerprint: That of the data.
        threads: Threads it will be trained with, now and when it is resumed.
        notes: What was found in the data and how it was handled, for the report.

    Raises:
        RunError: The folder exists and holds something, or a name is not UTF-8.
    """

    refuse_occupied(path)
    for name in (str(path), recipe.data.dataset):
        if not _is_text(name):
            raise RunError(f'the name "{printable(name)}" is not valid UTF-8, in which a run is written; rename it')
    make_folder(path.parent)
    with whole_folder(path) as temporary:
        write_text(temporary / "recipe.toml", recipe_to_toml(recipe))
        environment = runtime.environment(recipe.training.seed, fingerprint, threads, recipe.training.device)
        write_json(temporary / "environment.json", environment | {"notes": list(notes)})
        write_json(temporary / "task.json", task.state())
        if (cell := cells.kept(recipe.model.cell)) is not None:
            content = {"reference": recipe.model.cell, "equations": cells.stored.digest(cell), "cell": cell}
            write_json(temporary / CELL_FILE, content)
    return Run(path, recipe)


def complete(
    run: Run,
    dataset: Dataset,
    progress: Progress,
    label: str | None = None,
    *,
    may_blend: bool = True,
    with_simple: bool = False,
) -> Run:
    """Trains a run from where it stands to its end.

    Args:
        run: The run folder, new or interrupted.
        dataset: The data it was made for.
        progress: Who is told how it goes.
        label: The run's name in what is told; the folder's name if None.
        may_blend: Whether it may answer with more than its network, where its recipe says so.
        with_simple: Whether it keeps the figures of simple methods beside its own, where its recipe does not ask for
            the network alone; a comparison has them once for all its runs.

    Raises:
        RunError: The data are not those that the run began with.
        TrainingError: The loss is no longer a number.
        KeyboardInterrupt: The process was told to stop; the run can be resumed.
    """
    if run.is_finished:
        return run

    threads = run.threads
    if run.environment.get("data") != dataset.provenance.fingerprint:
        raise RunError(f"{run.path} began with other data than {dataset.name} holds now; train anew with another --out")
    label, ranks = label or run.path.name, here()
    if ranks.count > 1 and not run.recipe.training.shards:
        raise RunError(f"{run.path} began in one process without shards; go on with it without torchrun")
    earlier = _earlier(run, dataset, progress, label, threads, ranks)
    with runtime.computing(threads):
        trainer, seconds_before = beginning(run, dataset, label, progress, ranks)
        model = trainer.run()
        progress.testing(label)
        trainings = [Trained(each.task, each.network) for each in earlier]
        result = _result(run, model, trainer.dataset, trainings, may_blend=may_blend)
    further = _further(run, dataset, progress, label, threads, ranks)
    if ranks.is_main:
        seconds = seconds_before + sum(each.summary["seconds"] for each in earlier)
        _write_results(run, dataset, trainer, result._replace(tables={**result.tables, **further}), seconds)
        shutil.rmtree(run.path / FURTHER_TABLE, ignore_errors=True)
        if with_simple and run.recipe.section(AnswerOptions).blend:
            _keep_simple(run, result.task, model, dataset, threads)
    progress.tested(label)
    ranks.wait()
    return Run(run.path, run.recipe)


def _is_text(name: str) -> bool:
    """Whether a path is UTF-8; Python keeps each byte of one that is not as half a character."""
    return not any(0xD800 <= ord(character) <= 0xDFFF for character in name)


class _Result(NamedTuple):
    """What a finished training came to.

    Attributes:
        task: The task with what answers.
        answers: What that says of the test part.
        network: What the network alone says of it.
        tables: What else the run keeps, by name.
    """

    task: Task
    answers: Evaluation
    network: Evaluation
    tables: Mapping[str, pl.DataFrame]


def _result(run: Run, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained], *, may_blend: bool) -> _Result:
    """Lets a trained network, and what answers with it, learn from the validation part, and asks it the test part."""
    task = run.task
    task.calibrate(model, dataset, earlier)
    network = task.test(model, dataset, earlier)
    if may_blend and run.recipe.section(AnswerOptions).blend:
        task = task.blended(model, dataset, earlier)
    is_alone = task.blend is None or task.blend.is_network
    answers = network if is_alone else task.test(model, dataset, earlier)
    task = task.advanced(model, dataset, earlier)
    tables = dict(task.tables(model, dataset, answers))
    return _Result(task, answers, network, tables if is_alone else tables | {NETWORK_TABLE: network.answers})


def _write_results(run: Run, dataset: Dataset, trainer: Trainer, result: _Result, seconds_before: float) -> None:
    """Writes what a finished training leaves; the summary comes last, and says that the run is finished."""
    for name, table in ({"answers": result.answers.answers} | dict(result.tables)).items():
        write_table(run.path / f"{name}.parquet", table)
    if test_part_of(run.path) is None:
        write_table(run.path / "test.parquet", dataset.test.table())
    if result.task.told_by_content and not isinstance(dataset.train.inputs, PackedInputs):
        learnt = LearntExamples.of((dataset.train.inputs, dataset.validation.inputs), dataset.without_labels)
        write_table(run.path / LEARNT_FILE, learnt.table())
    write_tensors(run.path / "model.safetensors", trainer.model.state_dict())
    summary = _summary(trainer, _of_test(result.answers.metrics))
    if (blend := result.task.blend) is not None:
        write_json(run.path / ANSWER_FILE, result.task.state()["answer"])
        summary["answer"] = {"name": blend.name, **blend.state()}
        summary["network"] = _of_test(result.network.metrics)
    summary["splits"] = {name: len(getattr(dataset, name)) for name in ("train", "validation", "test")}
    summary["seconds"] += seconds_before
    write_json(run.path / "summary.json", summary)


def _keep_simple(run: Run, task: Task, model: nn.Module, dataset: Dataset, threads: int) -> None:
    """Adds the figures of simple methods to the summary of a run, which is finished without them."""
    with runtime.computing(threads):
        figures = {name: _of_test(task.metrics(said)) for name, said in task.beside(model, dataset).items()}
    if figures:
        write_json(run.path / "summary.json", read_json(run.path / "summary.json") | {"simple": figures})


def _of_test(metrics: Mapping[str, float]) -> dict[str, float]:
    return {f"test_{name}": value for name, value in metrics.items()}


def _earlier(run: Run, dataset: Dataset, progress: Progress, label: str, threads: int, ranks: Alone) -> list[Run]:
    """The finished trainings before the last one, where a network is trained again over time; each a run folder."""

    runs = []
    *before, _ = dataset.trainings
    for place, part in enumerate(before, start=1):
        path = run.path / "earlier" / str(place)
        if ranks.is_main and not (path / "recipe.toml").exists():
            task = tasks.get(run.recipe.task).fit(part, run.recipe.data)
            create(path, run.recipe, task, part.provenance.fingerprint, threads, part.provenance.notes)
        ranks.wait()
        name = f"{label}, training {place} of {len(before) + 1}"
        runs.append(complete(Run.open(path), part, progress, name, may_blend=False))
    return runs


def _further(
    run: Run, dataset: Dataset, progress: Progress, label: str, threads: int, ranks: Alone
) -> Mapping[str, pl.DataFrame]:
    """A table of what the task's further trainings came to, one row each; each is a run folder while it is needed."""
    import polars as pl

    rows = []
    for name, (part, recipe) in run.task.further(dataset, run.recipe).items():
        path = run.path / FURTHER_TABLE / name
        task = tasks.get(recipe.task).fit(part, recipe.data)
        if ranks.is_main and not (path / "recipe.toml").exists():
            create(path, recipe, task, part.provenance.fingerprint, threads, part.provenance.notes)
        wanted = task.before(part, recipe)
        if ranks.is_main and wanted is not None and (run.path / wanted.name).is_dir():
            # What comes before is the same for all.
            shutil.copytree(run.path / wanted.name, path / wanted.name, dirs_exist_ok=True)
        ranks.wait()
        finished = complete(Run.open(path), part, progress, f"{label}, {name}", may_blend=False)
        rows.append({"training": name, **finished.summary["metrics"]})
    return {FURTHER_TABLE: pl.DataFrame(rows)} if rows else {}


def _summary(trainer: Any, metrics: dict[str, float]) -> dict[str, Any]:
    history: Sequence[dict[str, Any]] = trainer.state.history
    seconds = sum(record["seconds"] for record in history)
    last = trainer.state.best_epoch if trainer.config.best_weights else len(history)
    return {
        "metrics": metrics,
        "validation": {k: v for k, v in history[last - 1].items() if k.startswith("validation_")},
        "parameters": sum(p.numel() for p in trainer.model.parameters()),
        "seconds": seconds,
        "seconds_per_epoch": seconds / len(history),
        "steps_per_second": trainer.steps * len(history) / seconds,
        "ms_per_step": statistics.median(record["ms_per_step"] for record in history),
        "epochs": len(history),
        "best_epoch": trainer.state.best_epoch,
    }
