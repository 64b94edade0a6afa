"""A run with its pages, as `gatework.train`, `gatework.resume` and `gatework.Run.open` give it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from gatework.data.frames import FrameKind, kind_of
from gatework.formatting import number
from gatework.pages.shown import Shown
from gatework.tasks import metric_title
from gatework.training import fitting
from gatework.training.run import Run

__all__ = ["ShownRun", "resume", "train"]


class ShownRun(Run):
    """A run folder that shows itself: its report, its answers as a picture, and the network live in a page."""

    def report(self) -> Shown:
        """Writes `report.html` into the folder; in a notebook it stands below the call.

        Raises:
            RunError: A file of the folder is missing or corrupt, or the page cannot be written.
        """
        from gatework.reports import write_run_report

        return Shown(write_run_report(self.path))

    def plot(self, source: Any = None, out: str | os.PathLike[str] | None = None, **options: Any) -> Shown:
        """Draws what the network says of a source into a page; in a notebook it stands below the call.

        Args:
            source: What `predict()` takes; None for what comes next, where the task needs no input.
            out: The file, a .html page; `predictions.html` in the folder if None.
            options: Options of a prediction that the task has, as `horizon`.

        Raises:
            DataError: The data are not usable.
            UsageError: There is nothing to draw, or the file does not end with .html.
        """
        from gatework.errors import UsageError
        from gatework.reports import plot

        file = Path(out) if out is not None else self.path / "predictions.html"
        if file.suffix != ".html":
            raise UsageError(f"out is {file}, expected a file that ends with .html; predict --plot draws images")
        split = self.predictor.read(source, **options)
        return Shown(plot(self.task.charts(split, self.predictor.rows(split)), file, f"{self.path.name}: predictions"))

    def inspect(self, inputs: Any = None, out: str | os.PathLike[str] | None = None) -> Shown:
        """Writes the page in which the network runs; in a notebook it stands below the call.

        Args:
            inputs: What the page offers at first; examples of the run's own data if None.
            out: The file; `inspect.html` in the folder if None.

        Raises:
            RunError: The run is not finished or cannot run in a page, or the file cannot be written.
        """
        from gatework.inside import write_page

        return Shown(write_page([self], out or self.path / "inspect.html", inputs))

    def predict(self, source: Any = None, **options: Any) -> Any:
        """What the network says of new examples, in the kind of frame that was given, or trained on where none was.

        Args:
            source: What `Predictor.read()` takes.
            options: Options of a prediction that the task has.

        Raises:
            DataError: The data are not usable, or hold nothing to answer.
            UsageError: The task has no such option.
        """
        kind: FrameKind | None = vars(self).get("kind")
        rows = super().predict(source, **options)
        return kind.of(rows) if kind is not None and kind_of(source) is None else rows

    def __repr__(self) -> str:
        """One line: the folder, what was trained, and what it came to."""
        about = [repr(str(self.path)), self.recipe.task, self.recipe.model.cell_name]
        if self.is_finished:
            metrics = self.summary["metrics"]
            name = f"test_{self.task.metric}"
            name = name if name in metrics else next(iter(metrics), "")
            about += [f"{metric_title(name)} {number(metrics[name])}"] if name else []
        else:
            about.append("not finished")
        return f"Run({', '.join(about)})"


def _shown(function: Callable[..., Run]) -> Callable[..., ShownRun]:
    """A call that gives a run, as one that gives it with its pages."""

    @wraps(function)
    def call(first: Any, source: Any = None, **settings: Any) -> ShownRun:
        run = function(first, source, **settings)
        shown = ShownRun(run.path, run.recipe)
        vars(shown)["kind"] = kind_of(source)
        return shown

    return call


train = _shown(fitting.train)
resume = _shown(fitting.resume)
