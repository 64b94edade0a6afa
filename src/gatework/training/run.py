"""A run: one training of one recipe, as a folder. After training, code reads this folder and nothing else."""

from __future__ import annotations

import html
import os
import shutil
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gatework import cells
from gatework._files import UMASK, atomic, read_arrays, read_json, read_tensors, write_json, write_tensors, write_text
from gatework.errors import RunError, UsageError
from gatework.formatting import number
from gatework.options import AnswerOptions
from gatework.recipe import Recipe, read_recipe, recipe_to_toml
from gatework.tasks import metric_title
from gatework.tasks._blend import NETWORK_ALONE

if TYPE_CHECKING:
    import polars as pl
    from torch import nn

    from gatework.data.dataset import Dataset
    from gatework.tasks import Evaluation, Scores, Task, Trained
    from gatework.tasks._inference import Inference
    from gatework.training.loop import Trainer
    from gatework.training.predictor import Predictor
    from gatework.training.progress import Progress
    from gatework.training.ranks import Alone


_NETWORK = "network"
"""The table of what the network alone says of the test part, where more than it answers."""
_ANSWER = "answer.json"
"""What answers beside the network, and all that this needs."""
_CELL = "cell.json"
"""A cell of a person's own: what it was called, the digest of its equations, and the equations themselves."""


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
        """Opens a run folder, finished or not.

        Raises:
            RunError: There is no such folder, or it is not a run folder.
        """
        path = Path(path)
        if not path.is_dir():
            found = "is a file" if path.exists() else "is not there"
            raise RunError(f"{path} {found}: a run folder, made by gatework train, was expected")
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
        from gatework import tasks

        state = read_json(self.path / "task.json")
        if self.is_finished and (self.path / _ANSWER).exists():
            state["answer"] = read_json(self.path / _ANSWER)
        try:
            return tasks.get(self.recipe.task).from_state(state)
        except (KeyError, TypeError, ValueError) as error:
            files = f"{self.path / 'task.json'}{f' or {_ANSWER}' if 'answer' in state else ''}"
            raise RunError(f"{files} is corrupt ({error!r}); restore it or train anew") from None

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Final metrics, parameters, seconds, steps per second.

        Raises:
            RunError: Training has not ended.
        """
        if not self.is_finished:
            raise RunError(f"{self.path} is not finished; go on with: gatework train --resume {self.path}")
        return read_json(self.path / "summary.json")

    @cached_property
    def scores(self) -> Scores:
        """What it reached on its own test part; the metrics have the prefix "test_".

        Raises:
            RunError: Training has not ended, or a file is corrupt.
        """
        from gatework.tasks import Scores

        metrics, file = self.summary["metrics"], test_part_of(self.path)
        is_alone = network_answers(self.path).name == "answers.parquet"
        others = {} if is_alone else {NETWORK_ALONE: self.summary["network"]}
        others |= self.summary.get("simple", {})
        if file is None:
            return Scores(metrics, baselines=others)
        return Scores(metrics, read_table(self.path / "answers.parquet"), others, test=read_table(file))

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
        return self.task.inference(self.recipe.model, read_arrays(self.path / "model.safetensors"))

    @cached_property
    def network(self) -> nn.Module:
        """The trained network, ready to predict.

        Raises:
            RunError: Training has not ended, or a file is corrupt.
        """
        _ = self.summary
        model = self.task.model(self.recipe.model)
        file = self.path / "model.safetensors"
        tensors, _ = read_tensors(file)
        try:
            model.load_state_dict(tensors)
        except RuntimeError as error:
            raise RunError(f"{file} does not fit the network of {self.path / 'recipe.toml'} ({error})") from None
        return model.eval()

    def _repr_html_(self) -> str:
        """The run in a notebook: what it learnt, how well, at what cost."""
        rows = [("run", str(self.path)), ("task", self.recipe.task), ("cell", self.recipe.model.cell)]
        if self.is_finished:
            rows += [(metric_title(name), number(value)) for name, value in self.summary["metrics"].items()]
            rows += [("parameters", f"{self.summary['parameters']:,}"), ("seconds", number(self.summary["seconds"]))]
        else:
            rows.append(("state", "not finished"))
        cells = "".join(f"<tr><th>{html.escape(a)}</th><td>{html.escape(b)}</td></tr>" for a, b in rows)
        return f"<table>{cells}</table>"

    @cached_property
    def predictor(self) -> Predictor:
        """What answers new examples; see `gatework.training.Predictor`."""
        from gatework.training.predictor import Predictor

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
    file = path / _CELL
    if file.exists():
        content = read_json(file)
        if not isinstance(content.get("cell"), dict):
            raise RunError(f"{file} is corrupt (it holds no cell); restore it or train anew")
        return replace(recipe, model=replace(recipe.model, cell=cells.adopt(content["cell"])))
    if ":" in recipe.model.cell:
        raise RunError(
            f'{path} names the cell "{recipe.model.cell}" of a Python file and has kept none of its equations '
            f"({_CELL} is missing); code that a run names is never executed: train it anew"
        )
    return recipe


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
        RunError: The folder exists and holds something.
    """
    from gatework.training import runtime

    refuse_occupied(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        write_text(temporary / "recipe.toml", recipe_to_toml(recipe))
        environment = runtime.environment(recipe.training.seed, fingerprint, threads)
        write_json(temporary / "environment.json", environment | {"notes": list(notes)})
        write_json(temporary / "task.json", task.state())
        if (cell := cells.kept(recipe.model.cell)) is not None:
            content = {"reference": recipe.model.cell, "equations": cells.stored.digest(cell), "cell": cell}
            write_json(temporary / _CELL, content)
        os.chmod(temporary, 0o777 & ~UMASK)
        if path.exists():
            path.rmdir()
        os.replace(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return Run(path, recipe)


def refuse_occupied(path: Path) -> None:
    """Raises a RunError if `path` is a file or a folder with something in it."""
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        kind = "a file" if path.is_file() else "a run folder" if (path / "recipe.toml").exists() else "not empty"
        hint = f"go on with it by --resume {path}, or " if kind == "a run folder" else ""
        raise RunError(f"{path} exists already and is {kind}; {hint}name another folder with --out")


def complete(
    run: Run, dataset: Dataset, progress: Progress, label: str | None = None, *, may_blend: bool = True
) -> Run:
    """Trains a run from where it stands to its end.

    Args:
        run: The run folder, new or interrupted.
        dataset: The data it was made for.
        progress: Who is told how it goes.
        label: The run's name in what is told; the folder's name if None.
        may_blend: Whether it may answer with more than its network, where its recipe says so.

    Raises:
        RunError: The data are not those that the run began with.
        TrainingError: The loss is no longer a number.
        KeyboardInterrupt: The process was told to stop; the run can be resumed.
    """
    if run.is_finished:
        return run
    from gatework.tasks import Trained
    from gatework.training import runtime
    from gatework.training.loop import Trainer
    from gatework.training.ranks import here

    environment = read_json(run.path / "environment.json")
    if environment["data"] != dataset.provenance.fingerprint:
        raise RunError(f"{run.path} began with other data than {dataset.name} holds now; train anew with another --out")
    label, ranks = label or run.path.name, here()
    if ranks.count > 1 and not run.recipe.training.shards:
        raise RunError(f"{run.path} began in one process without shards; go on with it without torchrun")
    earlier = _earlier(run, dataset, progress, label, environment["threads"], ranks)
    with runtime.computing(environment["threads"]):
        trainer = Trainer(run.path, run.recipe, run.task, dataset, label, progress, ranks)
        model = trainer.run()
        trainings = [Trained(before.task, before.network) for before in earlier]
        result = _result(run, model, dataset, trainings, may_blend=may_blend)
    if ranks.is_main:
        _write_results(run, dataset, trainer, result, sum(before.summary["seconds"] for before in earlier))
    ranks.wait()
    return Run(run.path, run.recipe)


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
    return _Result(task, answers, network, tables if is_alone else tables | {_NETWORK: network.answers})


def _write_results(run: Run, dataset: Dataset, trainer: Trainer, result: _Result, seconds_before: float) -> None:
    """Writes what a finished training leaves; the summary comes last, and says that the run is finished."""
    for name, table in ({"answers": result.answers.answers} | dict(result.tables)).items():
        write_table(run.path / f"{name}.parquet", table)
    if test_part_of(run.path) is None:
        write_table(run.path / "test.parquet", dataset.test.table())
    write_tensors(run.path / "model.safetensors", trainer.model.state_dict())
    summary = _summary(trainer, _of_test(result.answers.metrics))
    if (blend := result.task.blend) is not None:
        write_json(run.path / _ANSWER, result.task.state()["answer"])
        summary["answer"] = {"name": blend.name, **blend.state()}
        summary["network"] = _of_test(result.network.metrics)
        simple = result.task.simple(trainer.model, dataset.test)
        summary["simple"] = {name: _of_test(result.task.metrics(answers)) for name, answers in simple.items()}
    summary["splits"] = {name: len(getattr(dataset, name)) for name in ("train", "validation", "test")}
    summary["seconds"] += seconds_before
    write_json(run.path / "summary.json", summary)


def _of_test(metrics: Mapping[str, float]) -> dict[str, float]:
    return {f"test_{name}": value for name, value in metrics.items()}


def _earlier(run: Run, dataset: Dataset, progress: Progress, label: str, threads: int, ranks: Alone) -> list[Run]:
    """The finished trainings before the last one, where a network is trained again over time; each a run folder."""
    from gatework import tasks

    found = []
    *before, _ = dataset.trainings
    for place, part in enumerate(before, start=1):
        path = run.path / "earlier" / str(place)
        if ranks.is_main and not (path / "recipe.toml").exists():
            task = tasks.get(run.recipe.task).fit(part, run.recipe.data)
            create(path, run.recipe, task, part.provenance.fingerprint, threads, part.provenance.notes)
        ranks.wait()
        name = f"{label}, training {place} of {len(before) + 1}"
        found.append(complete(Run.open(path), part, progress, name, may_blend=False))
    return found


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
    alone = path / f"{_NETWORK}.parquet"
    return alone if alone.is_file() else path / "answers.parquet"


def read_table(path: Path) -> pl.DataFrame:
    """Reads a Parquet file.

    Raises:
        RunError: The file is missing or corrupt.
    """
    import polars as pl

    try:
        return pl.read_parquet(path)
    except FileNotFoundError:
        raise RunError(f"{path} is missing from the folder; run the comparison or training again") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise RunError(f"{path} cannot be read: {reason}; run the comparison or training again") from None


def write_table(path: Path, table: pl.DataFrame) -> None:
    """Writes a table as a Parquet file in one piece."""
    with atomic(path) as temporary:
        table.write_parquet(temporary)


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
