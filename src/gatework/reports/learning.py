"""Training and validation loss by epoch: one panel per network on one shared axis, and all of them in one."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from gatework.formatting import counted, number, rounded
from gatework.reports.folders import Entry, TrainedRun
from gatework.reports.scales import Axis

_MOST_POINTS = 400
_PARTS = ("train", "validation")


def learning(networks: Sequence[Entry]) -> dict[str, Any] | None:
    """The curves of these networks, as the page's script draws them; None where no epoch was recorded."""
    panels = [_panel(entry) for entry in networks if any(run.epochs for run in entry.runs)]
    if not panels:
        return None
    return {"panels": panels, "axis": _axis(panels, _PARTS), "overlay": _axis(panels, ("validation",))}


def _axis(panels: Sequence[Mapping[str, Any]], parts: Sequence[str]) -> dict[str, Any]:
    values = [v for panel in panels for seed in panel["seeds"] for part in parts for v in seed[part] if v is not None]
    return Axis.over(values, log_from=2.0).axis()


def _panel(entry: Entry) -> dict[str, Any]:
    runs = [run for run in entry.runs if run.epochs]
    seeds = [_seed(run) for run in runs]
    shared = min(len(run.epochs) for run in runs)
    mean = {"epoch": [line["epoch"] for line in runs[0].epochs[:shared]]}
    for part in _PARTS:
        mean[part] = [_mean([run.epochs[k].get(f"{part}_loss") for run in runs]) for k in range(shared)]
    return {
        "model": entry.name,
        "seeds": seeds,
        "mean": {key: _thin(values) for key, values in mean.items()},
        "summary": _summary(entry.name, mean, len(runs)),
        "stops_early": shared < max(len(run.epochs) for run in runs),
    }


def _seed(run: TrainedRun) -> dict[str, Any]:
    lines = run.epochs
    best = run.summary.get("best_epoch")
    at_best = next((line for line in lines if line["epoch"] == best), None)
    return {
        "name": run.name,
        "epoch": _thin([line["epoch"] for line in lines]),
        "train": _thin([rounded(line.get("train_loss"), 4) for line in lines]),
        "validation": _thin([rounded(line.get("validation_loss"), 4) for line in lines]),
        "best": [best, rounded(at_best.get("validation_loss"), 4)] if at_best else None,
    }


def _summary(name: str, mean: Mapping[str, list[Any]], seeds: int) -> str:
    losses = [(v, e) for v, e in zip(mean["validation"], mean["epoch"], strict=True) if v is not None]
    if not losses:
        return f"{name}: no validation loss was recorded."
    lowest, epoch = min(losses)
    last, first = mean["train"][-1], losses[0][0]
    return (
        f"{name}: validation loss falls from {number(first)} at epoch {losses[0][1]} to {number(lowest)} "
        f"at epoch {epoch}; training loss ends at {number(last)} (mean of {counted(seeds, 'seed')})."
    )


def _mean(values: list[Any]) -> float | None:
    kept = [rounded(v, 8) for v in values]
    return None if any(v is None for v in kept) else rounded(statistics.fmean(v for v in kept if v is not None), 4)


def _thin(values: list[Any]) -> list[Any]:
    step = -(-len(values) // _MOST_POINTS)
    return values[::-1][::step][::-1]
