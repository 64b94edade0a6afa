"""A run folder as one HTML page."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gatework.errors import RunError
from gatework.formatting import counted, number, rounded
from gatework.pages.axes import Axis
from gatework.pages.step_options import step_options
from gatework.reports.answer import answer
from gatework.reports.article import Opening, write_article
from gatework.reports.damaged import refusing_damage
from gatework.reports.details import Pairs, details, gatework_version
from gatework.reports.folders import ANSWERS, Entry, Spread, TrainedRun, check_rows, read_run
from gatework.reports.highlights import Highlight
from gatework.reports.learning import learning
from gatework.reports.looks import looks
from gatework.reports.sections import TaskSections, known_task, recipe_in_use, task_sections
from gatework.reports.simple import outdone, simple
from gatework.tasks import metric_title
from gatework.training.run import network_answers, read_table, test_part_of

_PANELS = {"learning_rate": "Learning rate", "gradient_norm": "Gradient norm", "seconds": "Seconds per epoch"}


@refusing_damage
def write_run_report(run_folder: str | os.PathLike[str], out: Path | None = None) -> Path:
    """Writes `report.html` into a run folder; an unfinished run is shown as far as it has come.

    Args:
        run_folder: The folder that `gatework train` wrote.
        out: Where the page goes; `report.html` in the folder if None.

    Returns:
        The path of the page.

    Raises:
        RunError: A file of the folder is missing or corrupt, or the page cannot be written.
    """
    folder = Path(run_folder)
    run = read_run(folder)
    if not run.epochs:
        raise RunError(f"{folder / 'metrics.jsonl'} holds no epoch yet; train on with --resume {folder}")
    entries = _entries(folder, run)
    metric = _metric(run, entries[0])
    shown = _sections(folder, run, entries, metric)
    curves = learning(entries[-1:], metric)
    panels = _training_panels(run.epochs)
    task = known_task(str(run.recipe.get("task", "")))
    first = [f"test_{name}" for name in (task.shown if task else ())]
    opening = Opening(_title(run), *_verdict(run, metric, shown.headline), _deck(run), _highlights(run, first))
    environment = {name: value for name, value in run.environment.items() if name != "notes"}
    recipe = recipe_in_use(str(run.recipe.get("task", "")), run.recipe, run.state)
    provenance = {"notes": run.environment.get("notes")}
    about = {"environment": environment, "recipe": recipe, "provenance": provenance}
    about["splits"] = run.summary.get("splits") or {}
    return write_article(
        out or folder / "report.html",
        "run.html",
        opening,
        entries,
        looks(entries),
        metric,
        shown,
        [("Test part", _every_metric(run)), *details(about)] if run.summary else details(about),
        {"learning": curves, "training": [panel for _, panel in panels]},
        curves=curves,
        panels=[title for title, _ in panels],
        command=None,
        version=gatework_version(run.environment),
    )


def _entries(folder: Path, run: TrainedRun) -> list[Entry]:
    """What answers, and the network alone where that is another."""
    cell = str(run.recipe.get("model", {}).get("cell", "network")).rpartition(":")[2]
    answers = () if run.answers is None else (run.answers,)
    metrics, alone = run.summary.get("metrics") or {}, network_answers(folder)
    if not answers or alone.name == ANSWERS:
        return [Entry(cell, "network", _spreads(metrics), answers, (run,), cell)]
    network = dataclasses.replace(run, tables={})
    return [
        Entry("the answer", "blend", _spreads(metrics), answers, (run,), cell),
        Entry(f"{cell} alone", "network", _spreads(run.summary["network"]), (read_table(alone),), (network,), cell),
    ]


def _spreads(metrics: Mapping[str, Any]) -> dict[str, Spread]:
    return {
        name: Spread(float(value), 0.0, (float(value),))
        for name, value in metrics.items()
        if isinstance(value, (int, float))
    }


def _metric(run: TrainedRun, entry: Entry) -> str:
    """The metric that decides; the first one of a task that is not known here."""
    task = known_task(str(run.recipe.get("task", "")))
    name = f"test_{task.metric}" if task else ""
    return name if name in entry.metrics else next(iter(entry.metrics), "")


def _sections(folder: Path, run: TrainedRun, entries: Sequence[Entry], metric: str) -> TaskSections:
    file = test_part_of(folder)
    if run.answers is None or not metric or file is None:
        return TaskSections()
    test = read_table(file)
    check_rows(folder / "answers.parquet", run.answers, len(test))
    shown = task_sections(str(run.recipe.get("task", "")), entries, metric, test, run.state)
    first = [section for section in (answer(run, metric), simple(run, metric)) if section]
    return dataclasses.replace(shown, sections=(*first, *shown.sections))


def _every_metric(run: TrainedRun) -> Pairs:
    return [
        (metric_title(name).removeprefix("test "), number(v)) for name, v in (run.summary.get("metrics") or {}).items()
    ]


def _training_panels(epochs: Sequence[Mapping[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    panels = []
    for key, title in _PANELS.items():
        values = [rounded(line.get(key)) for line in epochs]
        if any(v is not None for v in values):
            scale = Axis.over([0.0, *(v for v in values if v is not None)])
            panel = {"epoch": [line["epoch"] for line in epochs], "values": values, "axis": scale.axis()}
            panels.append((title, panel))
    return panels


def _title(run: TrainedRun) -> str:
    cell, dataset = run.recipe.get("model", {}).get("cell"), run.recipe.get("data", {}).get("dataset")
    cell = str(cell or "").rpartition(":")[2]
    return f"{cell} on {Path(str(dataset)).name}" if cell and dataset else run.name


def _verdict(run: TrainedRun, metric: str, headline: str) -> tuple[str, str]:
    """What was found in one line, and what must be said beside it."""
    done = run.epochs[-1]["epoch"]
    planned = run.recipe.get("training", {}).get("epochs")
    if not run.summary:
        return (f"Not finished: {done} of {counted(planned, 'epoch')} are done." if planned else "Not finished."), ""
    value = (run.summary.get("metrics") or {}).get(metric)
    title = metric_title(metric)
    reached = f"{title[:1].upper()}{title[1:]} {number(value)} after {counted(done, 'epoch')}."
    is_said = bool(headline) and run.summary.get("network", run.summary["metrics"]) != run.summary["metrics"]
    said = (headline, "" if is_said or not metric else reached, outdone(run, metric), _advice(run, metric))
    sentences = [sentence for sentence in said if sentence]
    return (sentences or ["Finished."])[0], " ".join(sentences[1:])


def _advice(run: TrainedRun, metric: str) -> str:
    """Which epoch was kept, and whether training for longer may help."""
    losses = [(v, line["epoch"]) for line in run.epochs if (v := rounded(line.get("validation_loss"))) is not None]
    if len(losses) < 3:
        return ""
    (lowest, at), (last, end) = min(losses), losses[-1]
    training = run.recipe.get("training", {})
    patience, planned, kept = (
        training.get("patience") or 0,
        training.get("epochs") or end,
        run.summary.get("best_epoch"),
    )
    by_metric = ""
    if training.get("best_weights", True) and kept and kept != at and metric:
        title = metric_title(metric).removeprefix("test ")
        by_metric = f"Epoch {kept} was kept, the best by its validation {title}. "
    if patience and end < planned:
        return f"{by_metric}Training stopped by itself: none of the {patience} epochs after the best was better."
    if at == end:
        return f"{by_metric}The validation loss was still falling at the last epoch: training for longer may help."
    if last > 1.1 * lowest > 0:
        return (
            f"{by_metric}The validation loss was lowest at epoch {at} and rose by {100 * (last / lowest - 1):.0f} % "
            "after it: it overfits, and training for longer will not help."
        )
    return f"{by_metric}The validation loss was lowest at epoch {at} and has levelled off."


def _deck(run: TrainedRun) -> str:
    seed = run.environment.get("seed", run.recipe.get("training", {}).get("seed"))
    options = step_options(run.recipe.get("model") or {})
    parts = [f"Run: {run.name}", f"seed {seed}" if seed is not None else "", "one training: its spread is unknown"]
    parts.append(f"around the cell: {options}" if options else "")
    return " · ".join(part for part in parts if part)


def _highlights(run: TrainedRun, shown: Sequence[str]) -> tuple[Highlight, ...]:
    """The metrics that the task shows first, or all, and what the training took."""
    summary = run.summary
    metrics = summary.get("metrics") or {}
    first = [name for name in shown if name in metrics] or list(metrics)
    costs = (("parameters", "Parameters", ""), ("ms_per_step", "Time per step", " ms"), ("seconds", "Training", " s"))
    known = [(metric_title(name), number(metrics[name])) for name in first]
    known += [(title, number(summary[key]) + unit) for key, title, unit in costs if summary.get(key) is not None]
    return tuple(Highlight(title, figure, "") for title, figure in known)
