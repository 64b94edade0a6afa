"""What other people's tools hear of a training: TensorBoard, Weights & Biases, MLflow, each an optional package."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gatework._files import read_json
from gatework.errors import UsageError, nearest
from gatework.recipe import Recipe, read_recipe
from gatework.training.progress import PassedOn, Progress


class Several(PassedOn):
    """Tells several what one is told."""

    def __init__(self, *each: Progress) -> None:
        self.each = each

    def pass_on(self, event: str, *told: Any) -> None:
        """Tells all."""
        for one in self.each:
            getattr(one, event)(*told)


class Log(Progress):
    """One tool that hears of one run: its settings, each epoch's figures, and the figures of the test part.

    Args:
        folder: The run folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.steps = 0

    def started(self, label: str, epochs: int, steps: int, done: int) -> None:
        """Notes how many steps an epoch has."""
        self.steps = steps

    def settings(self) -> dict[str, Any]:
        """The recipe with one name for each setting, as "model.hidden"."""
        return flat(read_recipe(self.folder / "recipe.toml"))

    def close(self) -> None:
        """Hears of the test part, where training has come to its end."""


class TensorBoardLog(Log):
    """Event files in the run folder: `tensorboard --logdir RUN`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        from tensorboardX import SummaryWriter
        from tensorboardX.summary import hparams

        self._make: Callable[..., Any] = SummaryWriter
        self._settings_of: Callable[..., Any] = hparams
        self._writer: Any = None

    def started(self, label: str, epochs: int, steps: int, done: int) -> None:
        """Opens the file, now that the run folder is there."""
        super().started(label, epochs, steps, done)
        self._writer = self._writer or self._make(str(self.folder / "tensorboard"))
        settings = "\n".join(f"    {name} = {value}" for name, value in self.settings().items())
        self._writer.add_text("recipe", settings)

    def epoch_done(self, label: str, record: dict[str, Any]) -> None:
        """Writes each figure at its step; what the network wrote, as text."""
        for name, value in record.items():
            add = self._writer.add_text if isinstance(value, str) else self._writer.add_scalar
            add(name, value, record["epoch"] * self.steps)

    def close(self) -> None:
        """Writes the settings beside what they came to, and closes the file."""
        if self._writer is not None:
            if metrics := test_metrics(self.folder):
                plain = {n: v if isinstance(v, (bool, int, float, str)) else str(v) for n, v in self.settings().items()}
                # As add_hparams() does, which opens a second file of the same name and so spoils the first.
                for summary in self._settings_of(plain, metrics):
                    self._writer.file_writer.add_summary(summary)
                for name, value in metrics.items():
                    self._writer.add_scalar(name, value)
            self._writer.close()


class WandbLog(Log):
    """A run of Weights & Biases in the project "gatework", or that of WANDB_PROJECT."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        import wandb

        self._wandb: Any = wandb
        self._run: Any = None

    def started(self, label: str, epochs: int, steps: int, done: int) -> None:
        """Opens the run."""
        super().started(label, epochs, steps, done)
        self._run = self._run or self._wandb.init(project="gatework", name=label, config=self.settings())

    def epoch_done(self, label: str, record: dict[str, Any]) -> None:
        """Logs each figure at its step."""
        self._run.log(record, step=record["epoch"] * self.steps)

    def close(self) -> None:
        """Notes the figures of the test part, and ends the run."""
        if self._run is not None:
            self._run.summary.update(test_metrics(self.folder))
            self._run.finish()


class MlflowLog(Log):
    """A run of MLflow, where MLFLOW_TRACKING_URI says."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        import mlflow

        self._mlflow: Any = mlflow
        self._is_open = False

    def started(self, label: str, epochs: int, steps: int, done: int) -> None:
        """Opens the run and gives its settings."""
        super().started(label, epochs, steps, done)
        if not self._is_open:
            self._mlflow.start_run(run_name=label)
            self._mlflow.log_params(self.settings())
            self._is_open = True

    def epoch_done(self, label: str, record: dict[str, Any]) -> None:
        """Logs each figure at its step."""
        figures = {name: float(value) for name, value in record.items() if not isinstance(value, str)}
        self._mlflow.log_metrics(figures, step=record["epoch"] * self.steps)

    def close(self) -> None:
        """Logs the figures of the test part, and ends the run: as killed where training did not come to its end."""
        if self._is_open:
            metrics = test_metrics(self.folder)
            self._mlflow.log_metrics(metrics)
            self._mlflow.end_run("FINISHED" if metrics else "KILLED")


_LOGS: Mapping[str, tuple[type[Log], str]] = {
    "tensorboard": (TensorBoardLog, "tensorboardX"),
    "wandb": (WandbLog, "wandb"),
    "mlflow": (MlflowLog, "mlflow"),
}
LOGS = tuple(_LOGS)
"""The tools that may hear of a training."""


def logs(names: str, folder: Path) -> list[Log]:
    """Those that shall hear of a run.

    Args:
        names: Some of `LOGS`, separated by commas.
        folder: The run folder, which need not be there yet.

    Raises:
        UsageError: There is no such tool, or it is not installed.
    """
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    for name in chosen:
        if name not in _LOGS:
            raise UsageError(f"--log {name}: {nearest(name, _LOGS)}")
        if find_spec(package := _LOGS[name][1]) is None:
            raise UsageError(f'--log {name} needs {package}: pip install "gatework[{name}]"')
    return [_LOGS[name][0](folder) for name in chosen]


def flat(recipe: Recipe) -> dict[str, Any]:
    """The settings of a recipe by their qualified names."""
    given = recipe.to_dict()
    sections = {name: part for name, part in given.items() if isinstance(part, Mapping)}
    named = {f"{name}.{field}": value for name, part in sections.items() for field, value in part.items()}
    return {"task": recipe.task, **named}


def test_metrics(folder: Path) -> dict[str, float]:
    """What a finished run reached on its test part; empty before that."""
    file = folder / "summary.json"
    return {n: v for n, v in read_json(file)["metrics"].items() if v is not None} if file.exists() else {}


@contextlib.contextmanager
def logged(names: str | None, folder: Path, progress: Progress) -> Iterator[Progress]:
    """Who is told of a training: the progress that is shown, and the tools of these names until the block ends.

    Args:
        names: As for `logs()`; none if None.
        folder: The run folder.
        progress: What is shown.
    """
    told = logs(names, folder) if names else []
    try:
        yield Several(progress, *told) if told else progress
    finally:
        for log in told:
            log.close()
