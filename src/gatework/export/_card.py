"""A model card: what a run is, how good it is beside simple methods, what it was made from, and where it ends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gatework.formatting import counted, listed, number
from gatework.tasks import metric_title
from gatework.training.run import Run


def card(run: Run, name: str) -> str:
    """The card as Markdown, with what the hub's search reads in front.

    Args:
        run: A finished run.
        name: What the model is called.
    """
    parts = [_front(run, name), f"# {name}", _about(run), "## How good it is", _figures(run)]
    parts += ["## How to use it", _use(run, name), "## What it was made from", _data(run)]
    return "\n\n".join([*parts, "## Where it ends", _limits(run)]) + "\n"


def _front(run: Run, name: str) -> str:
    """What the hub reads: JSON is YAML."""
    task, tag = run.task, run.task.pipeline
    kind = {"type": tag or run.recipe.task, "name": tag or run.recipe.task}
    data = {"name": _source(run), "type": _source(run)}
    metrics = [
        {"type": metric, "value": value, "name": metric_title(f"test_{metric}")}
        for metric, value in _test(run.summary["metrics"], task.shown).items()
        if value == value  # NaN is no JSON
    ]
    front: dict[str, Any] = {
        "library_name": "gatework",
        "tags": ["gatework", "recurrent-neural-network", run.recipe.task, run.recipe.model.cell.rpartition(":")[2]],
        "model-index": [{"name": name, "results": [{"task": kind, "dataset": data, "metrics": metrics}]}],
    }
    if tag:
        front["pipeline_tag"] = tag
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in front.items()]
    return "\n".join(["---", *lines, "---"])


def _about(run: Run) -> str:
    model, summary = run.recipe.model, run.summary
    layers = counted(model.layers, "layer")
    both = ", in both directions" if model.bidirectional else ""
    cell = model.cell.rpartition(":")[2]
    network = f"{layers} of {model.hidden} {cell} units{both}, {summary['parameters']:,} weights"
    blend = run.task.blend
    by = "" if blend is None or blend.is_network else f" It answers with {blend.name}, which did best in validation."
    return (
        f"A recurrent network for the task `{run.recipe.task}`: {network}. Trained for "
        f"{counted(summary['epochs'], 'epoch')} in {number(summary['seconds'])} seconds with "
        f"[gatework](https://pypi.org/project/gatework/) {_environment(run)}.{by}"
    )


def _environment(run: Run) -> str:
    versions = run.environment.get("versions", {})
    return f"{versions.get('gatework', '')} on torch {versions.get('torch', '')}"


def _figures(run: Run) -> str:
    """A table: what answers, the network alone and the simple methods on the same test part."""
    shown = run.task.shown or tuple(name.removeprefix("test_") for name in run.summary["metrics"])
    others: Mapping[str, Mapping[str, float]] = run.scores.baselines
    rows = {"this model": run.summary["metrics"], **others}
    titles = [metric_title(f"test_{name}") for name in shown]
    lines = [f"| on {counted(run.summary['splits']['test'], 'test example')} | {' | '.join(titles)} |"]
    lines += ["| --- |" + " --- |" * len(titles)]
    for name, metrics in rows.items():
        values = _test(metrics, shown)
        lines.append(f"| {name} | {' | '.join(number(values.get(metric)) for metric in shown)} |")
    if not others:
        lines += ["", "No simple method was measured beside it: `gatework compare` on the same data does that."]
    return "\n".join(lines)


def _test(metrics: Mapping[str, float], names: tuple[str, ...]) -> dict[str, float]:
    """The metrics of these names, all where there are none, without the prefix of the part."""
    values = {name.removeprefix("test_"): value for name, value in metrics.items()}
    return {name: values[name] for name in names or values if name in values}


def _use(run: Run, name: str) -> str:
    extras = ",".join(("hub", *run.task.extras))
    return (
        f'    pip install "gatework[{extras}]"\n'
        f"    gatework predict hf://OWNER/{name} INPUT\n\n"
        "```python\nimport gatework\n\n"
        f'run = gatework.Run.open("hf://OWNER/{name}")\n'
        "run.predict(...)  # a text, a list, a series, a table: what the task takes\n```\n\n"
        "The folder holds weights (safetensors), a recipe (TOML) and a state (JSON): nothing in it is executed."
    )


def _data(run: Run) -> str:
    splits = run.summary["splits"]
    counts = ", ".join(f"{splits[part]:,} for {word}" for part, word in _PARTS.items())
    columns = {role: names for role in ("text", "label", "target") if (names := getattr(run.recipe.data, role))}
    lines = [f"`{_source(run)}`: {counts}. SHA-256 of the data: `{run.environment['data']}`."]
    if columns:
        named = [f"{role} `{names if isinstance(names, str) else ', '.join(names)}`" for role, names in columns.items()]
        lines.append(f"Columns: {'; '.join(named)}.")
    lines += [f"- {note}" for note in run.environment.get("notes", [])]
    lines.append("The licence of the data is not known to the tool that wrote this card: say it here.")
    return "\n\n".join(lines)


_PARTS = {"train": "training", "validation": "validation", "test": "testing"}


def _source(run: Run) -> str:
    """The data by name: of a file its name, not where it lay."""
    return run.recipe.data.dataset.replace("\\", "/").rstrip("/").rpartition("/")[2] or "a data frame"


def _limits(run: Run) -> str:
    test = run.summary["splits"]["test"]
    lines = [
        f"- The figures are of {counted(test, 'example')} that were held back from the same data; other data may "
        "differ in ways that no figure here shows.",
        "- The seed is one of many: `gatework compare --seeds 3` says how much the figures move from seed to seed.",
    ]
    task = run.task
    better = run.scores.better(f"test_{task.metric}", lower_is_better=task.lower_is_better)
    if better:
        lines.insert(0, f"- On these data {listed(better)} did better.")
    return "\n".join(lines)
