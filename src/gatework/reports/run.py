"""A run folder as one HTML page."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from gatework._files import read_json
from gatework.errors import RunError
from gatework.formatting import counted, number, rounded
from gatework.reports.classification import Classification, classification
from gatework.reports.detection import detection
from gatework.reports.facts import Fact
from gatework.reports.folders import Entry, Spread, TrainedRun, read_run, read_test_part
from gatework.reports.forecasts import forecasts
from gatework.reports.learning import learning
from gatework.reports.page import write_page
from gatework.reports.palette import looks
from gatework.reports.particulars import Pairs, particulars
from gatework.reports.regression import regression
from gatework.reports.scales import Axis
from gatework.reports.step_options import step_options
from gatework.tasks import metric_title

_PANELS = {"learning_rate": "Learning rate", "gradient_norm": "Gradient norm", "seconds": "Seconds per epoch"}


def write_run_report(run_folder: str | os.PathLike[str]) -> Path:
    """Writes `report.html` into a run folder; an unfinished run is shown as far as it has come.

    Predictions are shown where the run is part of a comparison, which keeps the test part.

    Args:
        run_folder: The folder that `gatework train` wrote.

    Returns:
        The path of the page.

    Raises:
        RunError: A file of the folder is missing or corrupt, or the page cannot be written.
    """
    folder = Path(run_folder)
    run = read_run(folder)
    if not run.epochs:
        raise RunError(f"{folder / 'metrics.jsonl'} holds no epoch yet; train on with --resume {folder}")
    entry = _entry(run)
    look = looks([entry])
    values, classes, class_names = _predictions(folder, run, entry)
    ahead = _forecasts(folder, run, entry)
    curves = learning([entry])
    panels = _training_panels(run.epochs)
    found = _detection(folder, run)
    drawn = {entry.name: {**vars(look[entry.name]), "network": True}}
    metric = metric_title(next(iter(entry.metrics), "test metric"))
    return write_page(
        folder / "report.html",
        "run.html",
        data={
            "models": drawn,
            "learning": curves,
            "values": values,
            "forecasts": ahead,
            "roc": classes.roc if classes else None,
            "training": [panel for _, panel in panels],
            "detection": found,
        },
        title=_title(run),
        verdict=_verdict(run),
        deck=_deck(run),
        facts=_facts(run),
        looks=look,
        data_models=drawn,
        curves=curves,
        panels=[title for title, _ in panels],
        values=values,
        detection=found,
        forecasts=ahead,
        classes=classes,
        class_names=class_names,
        metric=metric,
        particulars=_particulars(run),
        command=None,
        version=run.environment.get("gatework"),
    )


def _particulars(run: TrainedRun) -> list[tuple[str, Pairs]]:
    environment = {name: value for name, value in run.environment.items() if name != "notes"}
    provenance = {"notes": run.environment.get("notes")}
    return particulars({"environment": environment, "recipe": run.recipe, "provenance": provenance})


def _entry(run: TrainedRun) -> Entry:
    cell = str(run.recipe.get("model", {}).get("cell", "network")).rpartition(":")[2]
    metrics = {
        name: Spread(float(value), 0.0, (float(value),))
        for name, value in (run.summary.get("metrics") or {}).items()
        if isinstance(value, (int, float))
    }
    outputs = () if run.outputs is None or not metrics else (run.outputs,)
    return Entry(cell, "network", metrics, outputs, (run,), cell)


def _predictions(
    folder: Path, run: TrainedRun, entry: Entry
) -> tuple[dict[str, Any] | None, Classification | None, tuple[str, ...]]:
    homes = _test_parts(folder)
    task = str(run.recipe.get("task", ""))
    if not homes or not entry.outputs or task == "forecast":
        return None, None, ()
    metric = next(iter(entry.metrics))
    test: pl.DataFrame = read_test_part(homes[0] / "test.parquet", task)
    if len(test) != len(entry.outputs[0]):
        raise RunError(
            f"{folder / 'answers.parquet'} holds {len(entry.outputs[0])} predictions "
            f"for the {len(test)} examples of {homes[0] / 'test.parquet'}"
        )
    if task == "regress":
        return regression([entry], metric, test), None, ()
    names = tuple(str(c) for c in read_json(folder / "task.json").get("classes") or ())
    return None, classification([entry], metric, test, names) if names else None, names


def _detection(folder: Path, run: TrainedRun) -> dict[str, Any] | None:
    if run.recipe.get("task") != "detect":
        return None
    return detection(folder, read_json(folder / "task.json")["columns"])


def _test_parts(folder: Path) -> list[Path]:
    return [home for home in (folder, folder.resolve().parent.parent) if (home / "test.parquet").is_file()]


def _forecasts(folder: Path, run: TrainedRun, entry: Entry) -> dict[str, Any] | None:
    homes = _test_parts(folder)
    if not homes or not entry.outputs or run.recipe.get("task") != "forecast":
        return None
    test = read_test_part(homes[0] / "test.parquet", "forecast")
    return forecasts([entry], next(iter(entry.metrics)), test)


def _training_panels(epochs: Sequence[Mapping[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for key, title in _PANELS.items():
        values = [rounded(line.get(key)) for line in epochs]
        if any(v is not None for v in values):
            scale = Axis.over([0.0, *(v for v in values if v is not None)])
            panel = {"epoch": [line["epoch"] for line in epochs], "values": values, "axis": scale.axis()}
            found.append((title, panel))
    return found


def _title(run: TrainedRun) -> str:
    cell, dataset = run.recipe.get("model", {}).get("cell"), run.recipe.get("data", {}).get("dataset")
    cell = str(cell or "").rpartition(":")[2]
    return f"{cell} on {Path(str(dataset)).name}" if cell and dataset else run.name


def _verdict(run: TrainedRun) -> str:
    done = run.epochs[-1]["epoch"]
    planned = run.recipe.get("training", {}).get("epochs")
    if not run.summary:
        return f"Not finished: {done} of {counted(planned, 'epoch')} are done." if planned else "Not finished."
    metrics = run.summary.get("metrics") or {}
    name = next(iter(metrics), None)
    reached = (
        f"Reaches a {metric_title(name)} of {number(metrics[name])} after {counted(done, 'epoch')}" if name else ""
    )
    return f"{reached or 'Finished'}. {_advice(run)}".strip()


def _advice(run: TrainedRun) -> str:
    losses = [(v, line["epoch"]) for line in run.epochs if (v := rounded(line.get("validation_loss"))) is not None]
    if len(losses) < 3:
        return ""
    (lowest, at), (last, end) = min(losses), losses[-1]
    if at == end:
        return "The validation loss was still falling at the last epoch: training for longer may help."
    if last > 1.1 * lowest > 0:
        return (
            f"The validation loss was lowest at epoch {at} and rose by {100 * (last / lowest - 1):.0f} % after it: "
            "it overfits, and training for longer will not help."
        )
    return f"The validation loss was lowest at epoch {at} and has levelled off."


def _deck(run: TrainedRun) -> str:
    seed = run.environment.get("seed", run.recipe.get("training", {}).get("seed"))
    options = step_options(run.recipe.get("model") or {})
    parts = [f"Run: {run.name}", f"seed {seed}" if seed is not None else "", "one training: its spread is unknown"]
    parts.append(f"around the cell: {options}" if options else "")
    return " · ".join(part for part in parts if part)


def _facts(run: TrainedRun) -> tuple[Fact, ...]:
    summary = run.summary
    found = [Fact(metric_title(k), number(v), "") for k, v in (summary.get("metrics") or {}).items()]
    costs = (("parameters", "Parameters", ""), ("ms_per_step", "Time per step", " ms"), ("seconds", "Training", " s"))
    found += [
        Fact(title, number(summary[key]) + unit, "") for key, title, unit in costs if summary.get(key) is not None
    ]
    return tuple(found)
