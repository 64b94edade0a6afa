"""Training and validation loss, and the deciding metric, by epoch: a panel per network and all of them in one."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from gatework.formatting import counted, number, rounded
from gatework.pages.axes import Axis
from gatework.reports.folders import Entry, TrainedRun
from gatework.tasks import get_metric

_MOST_POINTS = 400
_PARTS = ("train", "validation")


def learning(networks: Sequence[Entry], metric: str) -> list[dict[str, Any]]:
    """The curves of these networks, as the page's script draws them: of the loss, and of the deciding metric.

    Args:
        networks: The networks with their runs.
        metric: The metric that decides, with the "test_" prefix.

    Returns:
        One mapping per quantity; none where no epoch was recorded.
    """
    drawn = [entry for entry in networks if any(run.epochs for run in entry.runs)]
    names = ["loss"] if drawn else []
    bare = metric.removeprefix("test_")
    if any(_tells_more(line, bare) for entry in drawn for run in entry.runs for line in run.epochs):
        names.append(bare)
    return [_curves(drawn, name) for name in names]


def _tells_more(line: Mapping[str, Any], name: str) -> bool:
    """Whether an epoch has the metric, and it is not the loss itself under another name."""
    value, loss = rounded(line.get(f"validation_{name}")), rounded(line.get("validation_loss"))
    return name != "loss" and value is not None and not (loss is not None and math.isclose(value, loss, rel_tol=1e-3))


def _curves(networks: Sequence[Entry], name: str) -> dict[str, Any]:
    panels = [_panel(entry, name) for entry in networks]
    title = get_metric(name).title
    return {
        "name": name,
        "title": title[0].upper() + title[1:],
        "panels": panels,
        "axis": _axis(panels, _PARTS, name),
        "overlay": _axis(panels, ("validation",), name),
        "has_training": any(v is not None for panel in panels for seed in panel["seeds"] for v in seed["train"]),
    }


def _axis(panels: Sequence[Mapping[str, Any]], parts: Sequence[str], name: str) -> dict[str, Any]:
    values = [v for panel in panels for seed in panel["seeds"] for part in parts for v in seed[part] if v is not None]
    # Losses fall by factors; a share of 0.9 is not far from 1.
    return Axis.over(values, log_from=math.inf if get_metric(name).is_share else 2.0).axis()


def _panel(entry: Entry, name: str) -> dict[str, Any]:
    runs = [run for run in entry.runs if run.epochs]
    shared = min(len(run.epochs) for run in runs)
    mean: dict[str, list[Any]] = {"epoch": [line["epoch"] for line in runs[0].epochs[:shared]]}
    for part in _PARTS:
        mean[part] = [_mean([run.epochs[k].get(f"{part}_{name}") for run in runs]) for k in range(shared)]
    return {
        "model": entry.name,
        "seeds": [_seed(run, name) for run in runs],
        "mean": {key: _thin(values) for key, values in mean.items()},
        "summary": _summary(entry.name, name, mean, len(runs)),
        "stops_early": shared < max(len(run.epochs) for run in runs),
    }


def _seed(run: TrainedRun, name: str) -> dict[str, Any]:
    lines = run.epochs
    best = run.summary.get("best_epoch")
    at_best = next((line for line in lines if line["epoch"] == best), None)
    return {
        "name": run.name,
        "epoch": _thin([line["epoch"] for line in lines]),
        **{part: _thin([rounded(line.get(f"{part}_{name}"), 4) for line in lines]) for part in _PARTS},
        "best": [best, rounded(at_best.get(f"validation_{name}"), 4)] if at_best else None,
    }


def _summary(model: str, name: str, mean: Mapping[str, list[Any]], seeds: int) -> str:
    title = get_metric(name).title
    values = [(v, e) for v, e in zip(mean["validation"], mean["epoch"], strict=True) if v is not None]
    if not values:
        return f"{model}: no validation {title} was recorded."
    best, epoch = min(values, key=lambda pair: (get_metric(name).badness(pair[0]), pair[1]))
    last = mean["train"][-1]
    end = f"; training {title} ends at {number(last)}" if last is not None else ""
    return (
        f"{model}: validation {title} goes from {number(values[0][0])} at epoch {values[0][1]} to {number(best)} "
        f"at epoch {epoch}{end} (mean of {counted(seeds, 'seed')})."
    )


def _mean(values: list[Any]) -> float | None:
    kept = [rounded(v, 8) for v in values]
    return None if any(v is None for v in kept) else rounded(statistics.fmean(v for v in kept if v is not None), 4)


def _thin(values: list[Any]) -> list[Any]:
    step = -(-len(values) // _MOST_POINTS)
    return values[::-1][::step][::-1]
