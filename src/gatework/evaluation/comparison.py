"""A comparison: several cells with several seeds on the same data, order and budget, beside the simple methods."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gatework import tasks
from gatework._files import read_json, write_json
from gatework._threads import checked_count, usable_cores
from gatework.cells import CellSpec, kept, resolved
from gatework.cells import get as get_cell
from gatework.cells.stored import digest
from gatework.data.dataset import Dataset, Split
from gatework.errors import UsageError
from gatework.evaluation.elsewhere import Elsewhere
from gatework.evaluation.matching import matched_hidden, parameters
from gatework.evaluation.plans import check_cells_and_seeds, claim
from gatework.evaluation.verdict import Verdict, verdict
from gatework.evaluation.workers import Job, train_all
from gatework.formatting import number
from gatework.nn.model import scan_options
from gatework.recipe import Recipe
from gatework.tasks import Baseline, Sample, Task, metric_title
from gatework.tasks._blend import NETWORK
from gatework.training.completing import create
from gatework.training.progress import Progress
from gatework.training.run import Run, network_answers, read_table, write_table
from gatework.training.threads import chosen_threads


@dataclass(frozen=True)
class ComparisonPlan:
    """What is compared.

    Attributes:
        recipe: Task, data, model and training; its cell, hidden size and seed are replaced run by run.
        cells: Names of registered cells, or `FILE.py:NAME`, each of another name.
        seeds: How many seeds, counted from 0.
        match: "units" gives every cell the recipe's hidden size; "parameters" widens the smaller cells.
    """

    recipe: Recipe
    cells: tuple[str, ...]
    seeds: int = 3
    match: str = "units"

    def __post_init__(self) -> None:
        object.__setattr__(self, "cells", tuple(resolved(cell) for cell in self.cells))
        check_cells_and_seeds(self.cells, self.seeds)
        if self.match not in ("units", "parameters"):
            raise UsageError(f'match is "{self.match}", expected units or parameters')
        for cell in self.cells:
            scan_options(dataclasses.replace(self.recipe.model, cell=cell))

    def state(self, fingerprint: str) -> dict[str, Any]:
        """The plan as values that JSON can hold, with the data's fingerprint."""
        recipe = self.recipe.to_dict()
        return {
            "recipe": recipe,
            "cells": list(self.cells),
            "seeds": self.seeds,
            "match": self.match,
            "data": fingerprint,
            "equations": {
                get_cell(cell).name: digest(content) for cell in self.cells if (content := kept(cell)) is not None
            },
        }


def compare(
    dataset: Dataset,
    plan: ComparisonPlan,
    out: Path,
    *,
    workers: int = 1,
    progress: Progress | None = None,
    command: str = "",
    elsewhere: Elsewhere | None = None,
    afterwards: Callable[[Path, str, int], Any] | None = None,
    meanwhile: Callable[[], Any] | None = None,
) -> None:
    """Trains every cell with every seed, runs the baselines, and writes the comparison folder.

    A comparison that was interrupted goes on where it stopped.

    Args:
        dataset: The data.
        plan: What is compared.
        out: The comparison folder.
        workers: Runs trained at once, each with an equal share of the machine's cores.
        progress: Who is told how it goes.
        command: The command line that repeats it, for the report.
        elsewhere: The executor that trains the runs; processes of this machine if None.
        afterwards: What else is made of a cell's networks, from the folder, the cell's name and the seeds; it may be
            called before all of them are trained, or not at all.
        meanwhile: What this process can do while others train.

    Raises:
        RunError: The folder holds something else, or the comparison of another plan or other data.
        TrainingError: A run's loss is no longer a number.
        KeyboardInterrupt: The process was told to stop; the same call goes on.
    """
    checked_count(workers, "jobs")
    claim(out, plan.state(dataset.provenance.fingerprint))
    workers = max(1, min(workers, len(plan.cells) * plan.seeds))
    task = tasks.get(plan.recipe.task).fit(dataset, plan.recipe.data)
    threads = min(chosen_threads(task, plan.recipe, dataset), max(1, usable_cores() // workers))
    sizes = dict.fromkeys(plan.cells, plan.recipe.model.hidden)
    if plan.match == "parameters":
        sizes = matched_hidden(task, plan.recipe.model, plan.cells)
    jobs = []
    for cell in _largest_first(plan, task, sizes):
        for seed in range(plan.seeds):
            name = get_cell(cell).name
            path = out / "runs" / f"{name}-seed{seed}"
            recipe = plan.recipe.changed(cell=cell, hidden=sizes[cell], seed=seed)
            if not (path / "recipe.toml").exists():
                create(path, recipe, task, dataset.provenance.fingerprint, threads, dataset.provenance.notes)
            if not Run.open(path).is_finished:
                jobs.append(Job(path, f"{name}, seed {seed}"))
    _write_test_part(out / "test.parquet", dataset.test)
    progress = progress or Progress()
    progress.noted(dataset.provenance.notes)
    train_all(
        jobs,
        dataset,
        workers,
        progress,
        beside=functools.partial(_baselines, out, task),
        afterwards=[functools.partial(afterwards, out, get_cell(cell).name, plan.seeds) for cell in plan.cells]
        if afterwards
        else (),
        meanwhile=meanwhile,
        elsewhere=elsewhere,
    )
    content = _content(out, plan, dataset, task, _baselines(out, task, dataset), command)
    content["workers"] = workers
    write_json(out / "comparison.json", content)


def _largest_first(plan: ComparisonPlan, task: Task, sizes: Mapping[str, int]) -> list[str]:
    """The cells in the order in which they begin: the last to end are short, and no process waits long for another."""
    models = {cell: dataclasses.replace(plan.recipe.model, cell=cell, hidden=sizes[cell]) for cell in plan.cells}
    return sorted(plan.cells, key=lambda cell: parameters(task, models[cell]), reverse=True)


def _write_test_part(path: Path, test: Split) -> None:
    if not path.exists():
        write_table(path, test.table())


def _baselines(out: Path, task: Task, dataset: Dataset) -> list[dict[str, Any]]:
    folder = out / "baselines"
    listed = folder / "baselines.json"
    if not listed.exists():
        folder.mkdir(exist_ok=True)
        saved = [_save_baseline(folder, task, baseline) for baseline in task.baselines(dataset)]
        write_json(listed, {"baselines": saved})
    baselines: list[dict[str, Any]] = read_json(listed)["baselines"]
    return baselines


def _save_baseline(folder: Path, task: Task, baseline: Baseline) -> dict[str, Any]:
    slug = re.sub(r"[^a-z0-9]+", "-", baseline.name.lower()).strip("-")
    write_table(folder / f"{slug}.parquet", baseline.answers)
    metrics = task.metrics(baseline.answers)
    return {
        "name": baseline.name,
        "kind": "baseline",
        "about": baseline.about,
        "parameters": baseline.parameters,
        "seconds": baseline.seconds,
        "metrics": {f"test_{name}": _spread([value]) for name, value in metrics.items()},
        "answers": f"baselines/{slug}.parquet",
        "is_exact": task.is_copied(baseline.answers),
    }


def _content(
    out: Path, plan: ComparisonPlan, dataset: Dataset, task: Task, baselines: Sequence[dict[str, Any]], command: str
) -> dict[str, Any]:
    metric = f"test_{task.metric}"
    networks = [_network_entry(out, plan, cell) for cell in plan.cells]
    blends = [blend for entry in networks if (blend := blend_entry(out, entry)) is not None]
    copies = next((baseline["name"] for baseline in baselines if baseline["is_exact"]), None)
    entries = [*networks, *blends, *baselines]
    best = min(networks, key=lambda e: e["metrics"][metric]["mean"] * (1 if task.lower_is_better else -1))
    remark = task.remark(dataset, _means(best), {entry["name"]: _means(entry) for entry in baselines})
    if blends:
        remark = f"{remark} {blend_remark(blends, metric, task)}".strip()
    if published := plan.recipe.data.published:
        remark = f"{remark} Published: {published}.".strip()
    samples = samples_of(out, task, entries)
    judged = verdict(entries, metric, task.lower_is_better, copies, remark, samples)
    parts = {name: len(getattr(dataset, name)) for name in ("train", "validation", "test")}
    environment = read_json(out / networks[0]["runs"][0] / "environment.json")
    return {
        "dataset": dataset.name,
        "title": f"{dataset.name}: {', '.join(get_cell(cell).name for cell in plan.cells)}",
        **judgement(task, entries, judged),
        "absent": task.absent(dataset),
        "classes": list(dataset.classes),
        "seeds": plan.seeds,
        "epochs": plan.recipe.training.epochs,
        "match": plan.match,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "environment": {k: v for k, v in environment.items() if k != "seed"},
        "provenance": dataclasses.asdict(dataset.provenance),
        "splits": parts,
        "recipe": plan.recipe.to_dict(),
        "command": command,
    }


def _means(entry: Mapping[str, Any]) -> dict[str, float]:
    return {name.removeprefix("test_"): spread["mean"] for name, spread in entry["metrics"].items()}


def judgement(task: Task, entries: Sequence[Mapping[str, Any]], judged: Verdict) -> dict[str, Any]:
    """What `comparison.json` says of entries: what decides, their figures and the verdict."""
    return {
        "task": task.name,
        "metric": f"test_{task.metric}",
        "lower_is_better": task.lower_is_better,
        "entries": entries,
        "headline": judged.headline,
        "verdict": str(judged),
        "behind": {name: gap.state() for name, gap in judged.behind.items()},
    }


def samples_of(out: Path, task: Task, entries: Sequence[Mapping[str, Any]]) -> dict[str, list[Sample]] | None:
    """The test examples of every entry, by seed; None where the deciding metric is no mean over them.

    Args:
        out: The comparison folder.
        task: The task, as any of its runs was fitted.
        entries: The entries.
    """
    by_name: dict[str, list[Sample]] = {}
    for entry in (entry for entry in entries if entry["kind"] != "blend"):
        files = [network_answers(out / run) for run in entry["runs"]] if "runs" in entry else [out / entry["answers"]]
        samples = [task.sample(read_table(file)) for file in files]
        by_name[entry["name"]] = [sample for sample in samples if sample is not None]
        if len(by_name[entry["name"]]) < len(files):
            return None
    return by_name


def _network_entry(out: Path, plan: ComparisonPlan, cell: str) -> dict[str, Any]:
    spec = get_cell(cell)
    paths = [out / "runs" / f"{spec.name}-seed{seed}" for seed in range(plan.seeds)]
    return network_entry(out, paths, spec.name, spec)


def network_entry(out: Path, paths: Sequence[Path], name: str, spec: CellSpec) -> dict[str, Any]:
    """Finished runs of one recipe as an entry of a comparison.

    Args:
        out: The comparison folder.
        paths: The runs in it, one per seed.
        name: What they are called.
        spec: Their cell.
    """
    runs = [Run.open(path) for path in paths]
    summaries = [run.summary for run in runs]
    metrics = [summary.get("network", summary["metrics"]) for summary in summaries]
    return {
        "name": name,
        "kind": "network",
        "cell": spec.name,
        "about": spec.title,
        "hidden": runs[0].recipe.model.hidden,
        "parameters": summaries[0]["parameters"],
        "seconds_per_epoch": float(np.median([s["seconds_per_epoch"] for s in summaries])),
        "ms_per_step": float(np.median([s["ms_per_step"] for s in summaries])),
        "metrics": {name: _spread([values[name] for values in metrics]) for name in metrics[0]},
        "runs": [str(path.relative_to(out)) for path in paths],
    }


def blend_entry(out: Path, network: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the runs of a network's entry answer, where that is more than the network alone in any of them.

    Args:
        out: The comparison folder.
        network: The entry.
    """
    summaries = [Run.open(out / run).summary for run in network["runs"]]
    names = [summary.get("answer", {}).get("name", NETWORK) for summary in summaries]
    if set(names) == {NETWORK}:
        return None
    facts = {name: network[name] for name in ("cell", "hidden", "parameters", "runs")}
    return facts | {
        "name": f"{network['name']}, blended",
        "kind": "blend",
        "about": f"What its runs answer: {'; '.join(dict.fromkeys(names))}.",
        "metrics": {name: _spread([s["metrics"][name] for s in summaries]) for name in summaries[0]["metrics"]},
    }


def blend_remark(blends: Sequence[Mapping[str, Any]], metric: str, task: Task) -> str:
    """What is had from the best network together with the simple methods, in a sentence.

    Args:
        blends: The entries of what runs answer.
        metric: The metric that decides.
        task: The task.
    """
    best = min(blends, key=lambda entry: entry["metrics"][metric]["mean"] * (1 if task.lower_is_better else -1))
    return (
        f"Chosen and weighted on the validation part, network and simple methods together ({best['name']}) come to a "
        f"{metric_title(metric)} of {number(best['metrics'][metric]['mean'])}."
    )


def _spread(values: Sequence[float]) -> dict[str, Any]:
    return {
        "mean": float(np.mean(values)),
        "std": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
        "values": [float(v) for v in values],
    }
