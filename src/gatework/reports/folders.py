"""What a report reads: a run folder and a comparison folder, checked, as frozen dataclasses."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gatework._files import read_json
from gatework.errors import RunError
from gatework.formatting import with_spread


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
        outputs: The network's outputs on the test part, shape (examples, outputs), where it predicted it.
    """

    name: str
    epochs: tuple[Mapping[str, Any], ...]
    summary: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    outputs: np.ndarray | None = None


@dataclass(frozen=True)
class Entry:
    """One row of a comparison: a network with its runs, or a baseline.

    Attributes:
        name: As it stands in tables.
        kind: "network" or "baseline".
        metrics: Each metric over seeds, by its name with the "test_" prefix.
        outputs: Outputs on the test part, one array of shape (examples, outputs) per seed.
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
    outputs: tuple[np.ndarray, ...] = ()
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

    def typical(self, metric: str) -> int:
        """The index of the seed with the median value of that metric (the lower of the two middle ones)."""
        values = self.metrics[metric].values
        return int(np.argsort(values, kind="stable")[(len(values) - 1) // 2])


@dataclass(frozen=True)
class Comparison:
    """A comparison folder.

    Attributes:
        task: "regress", "classify" or "forecast".
        metric: The metric that decides, with the "test_" prefix.
        lower_is_better: Whether a smaller one is better.
        entries: The rows, best first.
        verdict: The conclusion, one or two sentences.
        test: The test part: "input" or "text", and "target".
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
        return tuple(e for e in self.entries if not e.is_network)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of their indices."""
        return tuple(str(c) for c in self.about.get("classes") or ())


def read_comparison(folder: Path) -> Comparison:
    """Reads a comparison folder, and nothing outside it.

    Raises:
        RunError: A file is missing or corrupt, or two files do not agree.
    """
    path = folder / "comparison.json"
    about = read_json(path)
    metric, task = _text(about, "metric", path), _text(about, "task", path)
    if task not in ("regress", "classify", "forecast", "detect"):
        raise RunError(f'{path}: the task is "{task}", a report knows regress, classify, forecast and detect')
    rows = about.get("entries")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Mapping) for row in rows):
        raise RunError(f'{path}: "entries" must be a list with at least one network or baseline')
    test = read_test_part(folder / "test.parquet", task)
    entries = [_entry(folder, row, path, len(test)) for row in rows]
    for entry in entries:
        if metric not in entry.metrics:
            raise RunError(f'{path}: the entry "{entry.name}" lacks the metric "{metric}" that decides')
    lower = bool(about.get("lower_is_better"))
    entries.sort(key=lambda e: _rank(e.metrics[metric].mean, lower))
    return Comparison(task, metric, lower, tuple(entries), str(about.get("verdict", "")), test, about)


def read_run(folder: Path) -> TrainedRun:
    """Reads a run folder; what an unfinished run does not hold yet is left empty.

    Raises:
        RunError: A file is corrupt, or there is no `metrics.jsonl`.
    """
    answers = folder / "answers.parquet"
    return TrainedRun(
        name=folder.name,
        epochs=_read_epochs(folder / "metrics.jsonl"),
        summary=_read_optional(folder / "summary.json"),
        recipe=_read_toml(folder / "recipe.toml"),
        environment=_read_optional(folder / "environment.json"),
        outputs=read_outputs(answers) if answers.is_file() else None,
    )


def read_outputs(path: Path) -> np.ndarray:
    """Reads a model's answers to the test part as one array, shape (examples, outputs), float64.

    Raises:
        RunError: The file is missing or corrupt.
    """
    try:
        answers = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(path, error) from None
    name = next((name for name in ("scores", "value", "quantiles", "expected") if name in answers.columns), None)
    if name is None:
        raise RunError(f"{path} holds no answers, it holds {', '.join(answers.columns) or 'nothing'}")
    outputs = answers[name].to_numpy().astype(np.float64)
    return outputs.reshape(len(outputs), -1)


def read_test_part(path: Path, task: str) -> pl.DataFrame:
    """Reads the test part: "input", a series, or "text"; and "target", values or the index of a class.

    Of a detector's windows it holds the "series", the "first" row and the "end".

    Raises:
        RunError: The file is missing or corrupt, or lacks a column.
    """
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(path, error) from None
    columns: tuple[str, ...] = ("text" if task == "classify" and "text" in frame.columns else "input", "target")
    columns += ("series", "time") if task == "forecast" else ()
    columns = ("series", "first", "end") if task == "detect" else columns
    missing = [c for c in columns if c not in frame.columns]
    if missing:
        raise RunError(f'{path} lacks the column "{missing[0]}", it holds {", ".join(frame.columns) or "none"}')
    return frame.select(columns)


def _entry(folder: Path, row: Mapping[str, Any], path: Path, examples: int) -> Entry:
    name = _text(row, "name", path)
    is_network = row.get("kind") == "network"
    homes = [_inside(folder, str(run), path) for run in row.get("runs") or ()]
    runs = tuple(read_run(home) for home in homes)
    if is_network:
        files = [home / "answers.parquet" for home in homes]
    else:
        files = [_inside(folder, str(row["answers"]), path)] if row.get("answers") else []
    outputs = tuple(read_outputs(file) for file in files)
    for file, values in zip(files, outputs, strict=True):
        if len(values) != examples:
            raise RunError(f"{file} holds {len(values)} predictions for the {examples} examples of test.parquet")
    metrics = row.get("metrics")
    if not isinstance(metrics, Mapping):
        raise RunError(f'{path}: the entry "{name}" has no "metrics"')
    return Entry(
        name=name,
        kind="network" if is_network else "baseline",
        metrics={key: _spread(key, value, name, path) for key, value in metrics.items()},
        outputs=outputs,
        runs=runs,
        cell=str(row.get("cell") or (name if is_network else "")),
        hidden=row.get("hidden"),
        parameters=row.get("parameters"),
        seconds_per_epoch=row.get("seconds_per_epoch"),
        ms_per_step=row.get("ms_per_step"),
        seconds=row.get("seconds"),
        about=str(row.get("about") or ""),
    )


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
    found = (folder / relative).resolve()
    if not found.is_relative_to(folder.resolve()):
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
