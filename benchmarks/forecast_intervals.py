"""Whether intervals hold, and what they cost: the built-in tables with test parts long enough to tell.

    python benchmarks/forecast_intervals.py --out FOLDER [--sets airline,co2,...] [--seeds 3] [--refits 0,1]
    python benchmarks/forecast_intervals.py --out FOLDER --ett PATH/ETTh1.csv.gz [--seeds 3]

Prints one Markdown row per table, trained once (0) or again and again (1), and writes FOLDER/intervals.json: the shares
covered, and MSIS and the quantile loss as multiples of the best simple method's. Runs and baselines that are there
already are not made again. ETTh1 is forecast 96 hours ahead with the settings of `ett.py`, from every third origin,
without AutoETS, AutoTheta and AutoARIMA, which take an hour there.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ett
import numpy as np

from gatework import tasks, training
from gatework.recipe import Recipe
from gatework.tasks.forecast import statistical
from gatework.tasks.forecast.data import ForecastDataset
from gatework.tasks.forecast.metrics import chance, distinct_steps
from gatework.training.fitting import prepare
from gatework.training.progress import Lines
from gatework.training.run import Run

# The last half or so of each table; a year's worth of steps, or as many as make four to ten trainings.
TEST = {"airline": 60, "co2": 240, "retail": 120, "sunspots": 120, "weather": 730, "stocks": 1000}
REFIT = {"airline": 12, "co2": 24, "retail": 12, "sunspots": 33, "weather": 182, "stocks": 250}
VALIDATION = {"airline": 24, "co2": 24, "retail": 24, "sunspots": 33, "weather": 182, "stocks": 100}
Table = tuple[str, str, ForecastDataset, Recipe]
"""Its name, that of its runs, its data, and how it is learnt."""
SHARES, LOSSES = ("coverage_80", "coverage_95"), ("msis_80", "msis_95", "wql")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", default=",".join(TEST))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--refits", default="0,1", help="0 trains once, 1 again and again")
    parser.add_argument("--ett", type=Path, help="ETTh1.csv or ETTh1.csv.gz, in place of the built-in tables")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, label, dataset, recipe in _etth1(options.ett) if options.ett else _built_in(options):
        runs = [_trained(options, f"{label}-seed{seed}", dataset, recipe, seed) for seed in range(options.seeds)]
        row = _row(name, dataset, runs, _baselines(options.out / f"{label}-baselines.json", dataset, recipe))
        rows.append(row)
        print(_line(row), flush=True)
        (options.out / "intervals.json").write_text(json.dumps(rows, indent=2) + "\n")


def _built_in(options: argparse.Namespace) -> Iterator[Table]:
    for name in options.sets.split(","):
        for again in map(int, options.refits.split(",")):
            steps = {"test_steps": TEST[name], "validation_steps": VALIDATION[name], "refit": again * REFIT[name]}
            dataset, recipe = prepare(name, "forecast", None, {**steps, "max_origins": 1000})
            assert isinstance(dataset, ForecastDataset)
            yield name, f"{name}-{'refit' if again else 'once'}", dataset, recipe


def _etth1(path: Path) -> Iterator[Table]:
    statistical.MOST_SERIES = 0
    frame, by_hour = ett.read(path, "test")
    given = ett.recipe(96, by_hour, frame.columns[1:], argparse.Namespace(part="test", set=[]), 336, "linear")
    dataset, recipe = prepare(frame, "forecast", given.changed(blend=True, max_origins=1000), {})
    assert isinstance(dataset, ForecastDataset)
    yield "ETTh1", "ETTh1", dataset, recipe


def _trained(
    options: argparse.Namespace, name: str, dataset: ForecastDataset, recipe: Recipe, seed: int
) -> dict[str, float]:
    out = options.out / name
    if not (out / "summary.json").exists():
        training.train(
            "forecast", dataset, out=out, recipe=recipe, seed=seed, threads=options.threads, progress=Lines()
        )
    metrics: dict[str, float] = Run.open(out).summary["metrics"]
    return {key.removeprefix("test_"): value for key, value in metrics.items()}


def _baselines(file: Path, dataset: ForecastDataset, recipe: Recipe) -> dict[str, dict[str, float]]:
    if not file.exists():
        task = tasks.get("forecast").fit(dataset, recipe.data)
        found = {each.name: task.metrics(each.answers) for each in task.baselines(dataset)}
        file.write_text(json.dumps(found, indent=2) + "\n")
    methods: dict[str, dict[str, float]] = json.loads(file.read_text())
    return methods


def _row(
    name: str, dataset: ForecastDataset, runs: list[dict[str, float]], methods: dict[str, dict[str, float]]
) -> dict[str, Any]:
    best = {loss: min(methods, key=lambda method, loss=loss: methods[method][loss]) for loss in LOSSES}
    means = {key: float(np.mean([run[key] for run in runs])) for key in (*SHARES, *LOSSES, "mase")}
    return {
        "table": name,
        "trainings": len(dataset.trainings),
        "steps": distinct_steps(dataset.test.targets),
        "origins": len(dataset.test),
        "metrics": runs,
        "best": best,
        "multiples": {loss: means[loss] / methods[best[loss]][loss] for loss in LOSSES},
        **means,
    }


def _line(row: dict[str, Any]) -> str:
    cells = [row["table"], f"{row['steps']:,}", f"{row['origins']:,}", str(row["trainings"])]
    cells += [f"{row[share]:.2f}" for share in SHARES] + [f"{100 * chance(0.8, row['steps']):.1f}"]
    cells += [f"{row['multiples'][loss]:.2f} ({row['best'][loss]})" for loss in LOSSES]
    return f"| {' | '.join(cells)} | {row['mase']:.3f} |"


if __name__ == "__main__":
    main()
