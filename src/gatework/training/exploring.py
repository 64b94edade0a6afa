"""A training that is judged by its validation part alone, as the trials of a search are."""

from __future__ import annotations

from typing import Any

from gatework.data.dataset import Dataset
from gatework.training import runtime
from gatework.training.loop import Trainer
from gatework.training.progress import Progress
from gatework.training.ranks import Alone
from gatework.training.run import Run


def explore(run: Run, dataset: Dataset, progress: Progress, label: str) -> list[dict[str, Any]]:
    """Trains a run to its end without looking at the test part, which leaves the run unfinished.

    Args:
        run: The run folder, new or interrupted.
        dataset: The data it was made for.
        progress: Who is told how it goes; what it raises ends the training.
        label: The run's name in what is told.

    Returns:
        One record per epoch, as in `metrics.jsonl`.

    Raises:
        TrainingError: The loss is no longer a number.
        KeyboardInterrupt: The process was told to stop; the run can be resumed.
    """
    with runtime.computing(run.threads):
        trainer = Trainer(run.path, run.recipe, run.task, dataset, label, progress, Alone())
        trainer.run()
    return trainer.state.history
