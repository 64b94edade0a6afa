"""What a report reads: a run folder and a comparison folder, checked, as frozen dataclasses."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gatework._files import read_json
from gatework.errors import RunError
from gatework.formatting import with_spread
from gatework.training.run import network_answers, read_table

ANSWERS, _TEST = "answers.parquet", "test.parquet"


@dataclass(frozen=True)
class Spread:
    """One metric over seeds.

    Attributes:
        mean: The mean over seeds.
        std: The sample standard deviation over seeds; 0 for one value.
        values: One value per seed, in the order of the entry's runs.
    """

    mean: float
    std: float
    values: tuple[float, ...]

    def __str__(self) -> str:
        return with_spread(self.mean, self.std, len(self.values))


@dataclass(frozen=True)
class TrainedRun:
    """One training of one recipe.

    Attributes:
        name: The folder's name.
        epochs: One mapping per epoch, in order, as in `metrics.jsonl`.
        summary: The final figures; empty while the run is not finished.
        recipe: The recipe's sections.
        environment: Versions, machine and seed.
        answers: What the network says of the test part, one row per example; None before it was asked.
        tables: Further tables that the task keeps, by the name of their file.
        state: The fitted task.
    """

    name: str
    epochs: tuple[Mapping[str, Any], ...]
    summary: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    answers: pl.DataFrame | None = None
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """One row of a comparison: a network with its runs, what these answer together with simple methods, or a baseline.

    Attributes:
        name: As it stands in tables.
        kind: "network", "blend" or "baseline".
        metrics: Each metric over seeds, by its name with the "test_" prefix.
        answers: What it says of the test part, one table per seed with one row per example.
        runs: The trainings, one per seed; empty for a baseline.
        cell: The cell of a network.
        hidden: Its hidden units, where known.
        parameters: How many numbers it learnt, where known.
        seconds_per_epoch: Seconds of training per epoch, where known.
        ms_per_step: Milliseconds per training step, where known.
        seconds: Seconds that fitting a baseline took, where known.
        about: One sentence about a baseline.
    """

    name: str
    kind: str
    metrics: Mapping[str, Spread]
    answers: tuple[pl.DataFrame, ...] = ()
    runs: tuple[TrainedRun, ...] = ()
    cell: str = ""
    hidden: int | None = None
    parameters: int | None = None
    seconds_per_epoch: float | None = None
    ms_per_step: float | None = None
    seconds: float | None = None
    about: str = ""

    @property
    def is_network(self) -> bool:
        """Whether this is a trained network rather than a baseline."""
        return self.kind == "network"

    @property
    def is_baseline(self) -> bool:
        """Whether this is a simple method, without any network."""
        return self.kind == "baseline"

    def typical(self, metric: str) -> int:
        """The index of the seed with the median value of that metric (the lower of the two middle ones)."""
        values = self.metrics[metric].values
        return int(np.argsort(values, kind="stable")[(len(values) - 1) // 2])


@dataclass(frozen=True)
class ComparisonFolder:
    """A comparison folder.

    Attributes:
        task: The name of the task.
        metric: The metric that decides, with the "test_" prefix.
        lower_is_better: Whether a smaller one is better.
        entries: The rows, best first.
        verdict: The conclusion, one or two sentences.
        test: The test part, one row per example.
        about: All other keys of `comparison.json`.
    """

    task: str
    metric: str
    lower_is_better: bool
    entries: tuple[Entry, ...]
    verdict: str
    test: pl.DataFrame
    about: Mapping[str, Any]

    @property
    def networks(self) -> tuple[Entry, ...]:
        """The trained networks, best first."""
        return tuple(e for e in self.entries if e.is_network)

    @property
    def baselines(self) -> tuple[Entry, ...]:
        """The baselines, best first."""
        return tuple(e for e in self.entries if e.is_baseline)

    @property
    def state(self) -> Mapping[str, Any]:
        """The fitted task, which all runs share; empty where there is no run."""
        return next((run.state for entry in self.networks for run in entry.runs), {})


def read_comparison(folder: Path) -> ComparisonFolder:
    """Reads a comparison folder, and nothing outside it.

    Raises:
        RunError: A file is missing or corrupt, or two files do not agree.
    """
    path = folder / "comparison.json"
    about = read_json(path)
    metric, task = _text(about, "metric", path), _text(about, "task", path)
    rows = about.get("entries")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Mapping) for row in rows):
        raise RunError(f'{path}: "entries" must be a list with at least one network or baseline')
    test = read_table(folder / "test.parquet")
    entries = [_entry(folder, row, path, len(test)) for row in rows]
    for entry in entries:
        if metric not in entry.metrics:
            raise RunError(f'{path}: the entry "{entry.name}" lacks the metric "{metric}" that decides')
    lower = bool(about.get("lower_is_better"))
    entries.sort(key=lambda e: _rank(e.metrics[metric].mean, lower))
    return ComparisonFolder(task, metric, lower, tuple(entries), str(about.get("verdict", "")), test, about)


def read_run(folder: Path) -> TrainedRun:
    """Reads a run folder; what an unfinished run does not hold yet is left empty.

    Raises:
        RunError: A file is corrupt, or there is no `metrics.jsonl`.
    """
    answers = folder / ANSWERS
    further = [path for path in sorted(folder.glob("*.parquet")) if path.name not in (ANSWERS, _TEST)]
    return TrainedRun(
        name=folder.name,
        epochs=_read_epochs(folder / "metrics.jsonl"),
        summary=_read_optional(folder / "summary.json"),
        recipe=_read_toml(folder / "recipe.toml"),
        environment=_read_optional(folder / "environment.json"),
        answers=read_table(answers) if answers.is_file() else None,
        tables={path.stem: read_table(path) for path in further},
        state=_read_optional(folder / "task.json"),
    )


def check_rows(path: Path, answers: pl.DataFrame, examples: int) -> None:
    """Refuses answers that are not those to the test part.

    Raises:
        RunError: There is not one row per example.
    """
    if len(answers) != examples:
        raise RunError(f"{path} holds {len(answers)} answers for the {examples} examples of test.parquet")


def _entry(folder: Path, row: Mapping[str, Any], path: Path, examples: int) -> Entry:
    name = _text(row, "name", path)
    kind = str(row.get("kind")) if row.get("kind") in ("network", "blend") else "baseline"
    homes = [_inside(folder, str(run), path) for run in row.get("runs") or ()]
    runs = tuple(_without_the_answers_tables(home) if kind == "network" else read_run(home) for home in homes)
    if kind != "baseline":
        files = [network_answers(home) if kind == "network" else home / ANSWERS for home in homes]
    else:
        files = [_inside(folder, str(row["answers"]), path)] if row.get("answers") else []
    answers = tuple(read_table(file) for file in files)
    for file, table in zip(files, answers, strict=True):
        check_rows(file, table, examples)
    metrics = row.get("metrics")
    if not isinstance(metrics, Mapping):
        raise RunError(f'{path}: the entry "{name}" has no "metrics"')
    return Entry(
        name=name,
        kind=kind,
        metrics={key: _spread(key, value, name, path) for key, value in metrics.items()},
        answers=answers,
        runs=runs,
        cell=str(row.get("cell") or (name if kind == "network" else "")),
        hidden=row.get("hidden"),
        parameters=row.get("parameters"),
        seconds_per_epoch=row.get("seconds_per_epoch"),
        ms_per_step=row.get("ms_per_step"),
        seconds=row.get("seconds"),
        about=str(row.get("about") or ""),
    )


def _without_the_answers_tables(home: Path) -> TrainedRun:
    """A run as that of its network, whose tables are the run's own only where it answers alone."""
    run = read_run(home)
    return run if network_answers(home).name == ANSWERS else replace(run, tables={})


def _spread(key: str, value: Any, name: str, path: Path) -> Spread:
    try:
        values = tuple(_number(v) for v in value.get("values") or (value["mean"],))
        return Spread(_number(value["mean"]), _number(value.get("std") or 0.0), values)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise RunError(f'{path}: "{key}" of the entry "{name}" must hold a mean, a std and its values') from None


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _rank(mean: float, lower_is_better: bool) -> tuple[bool, float]:
    return (mean != mean, mean if lower_is_better else -mean)


def _text(values: Mapping[str, Any], key: str, path: Path) -> str:
    value = values.get(key)
    if not isinstance(value, str) or not value:
        raise RunError(f'{path}: "{key}" must be a text, found {value!r}')
    return value


def _inside(folder: Path, relative: str, path: Path) -> Path:
    resolved = (folder / relative).resolve()
    if not resolved.is_relative_to(folder.resolve()):
        raise RunError(f'{path} names "{relative}", which lies outside the comparison folder')
    return folder / relative


def _read_epochs(path: Path) -> tuple[Mapping[str, Any], ...]:
    epochs: list[Mapping[str, Any]] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except ValueError:
            values = None
        if not isinstance(values, dict) or not isinstance(values.get("epoch"), int):
            raise RunError(f'{path}, line {number}: expected a JSON object with an "epoch", found {line[:60]!r}')
        epochs.append(values)
    return tuple(epochs)


def _read_optional(path: Path) -> dict[str, Any]:
    return read_json(path) if path.exists() else {}


def _read_toml(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> RunError:
    if isinstance(error, FileNotFoundError):
        return RunError(f"{path} is missing from the folder; run the comparison or training again")
    reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
    return RunError(f"{path} cannot be read: {reason}; run the comparison or training again")
