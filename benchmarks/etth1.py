"""ETTh1, the field's split: 12, 4 and 4 months, scaled by the training part, 7 variables in and out.

    python benchmarks/etth1.py PATH/ETTh1.csv.gz --out FOLDER [--horizons 96,336] [--seeds 3]

Reads the file of https://github.com/zhouhaoyi/ETDataset, prints one line per run and the summary, and writes
FOLDER/etth1.json.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import polars as pl

from gatework import training
from gatework.recipe import Recipe
from gatework.tasks.forecast.data import ForecastDataset
from gatework.tasks.forecast.linear import Linear
from gatework.tasks.forecast.measures import spreads
from gatework.tasks.forecast.methods import Drift, LinearOnLags, Naive, PointMethod, Seasonal
from gatework.tasks.forecast.metrics import answers_of
from gatework.tasks.forecast.options import ForecastOptions
from gatework.tasks.forecast.windows import origins_of
from gatework.training.fitting import prepare
from gatework.training.progress import Lines

HOURS = 30 * 24
TRAIN, VALIDATION, TEST = 12 * HOURS, 4 * HOURS, 4 * HOURS
PUBLISHED = {96: 0.375, 336: 0.439}
"""The test MSE of DLinear: A. Zeng et al., "Are Transformers Effective for Time Series Forecasting?", AAAI 2023."""


def read(path: Path) -> pl.DataFrame:
    """The first twenty months, each variable standardised by the first twelve."""
    frame = pl.read_csv(path).head(TRAIN + VALIDATION + TEST)
    names = frame.columns[1:]
    head = frame.head(TRAIN)
    return frame.with_columns((pl.col(n) - head[n].mean()) / head[n].std(ddof=0) for n in names)


def recipe(horizon: int, names: list[str]) -> Recipe:
    """One setting for both horizons."""
    return Recipe(task="forecast").changed(
        time="date",
        target=",".join(names),
        horizon=horizon,
        window=720,
        segment=48,
        season=24,
        skip="linear",
        max_windows=60_000,
        scaling="series",
        calendar=False,
        blend=False,
        validation_steps=VALIDATION,
        test_steps=TEST,
        max_origins=TEST,
        cell="lstm",
        hidden=64,
        dropout=0.5,
        epochs=4,
        batch_size=256,
        learning_rate=3e-3,
        schedule="cosine",
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--horizons", default="96,336")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--set", action="append", default=[], help="a field of the recipe, as hidden=64")
    parser.add_argument("--no-baselines", action="store_true", help="train only")
    options = parser.parse_args()
    frame = read(options.file)
    changes = dict(item.split("=") for item in options.set)
    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for horizon in map(int, options.horizons.split(",")):
        chosen = recipe(horizon, frame.columns[1:])
        chosen = chosen.changed(
            **{k: type(value)(v) for k, v in changes.items() if (value := _field(chosen, k)) is not None}
        )
        dataset, _ = prepare(frame, "forecast", chosen, {})
        task = None
        found = []
        for seed in range(options.seeds):
            start = time.perf_counter()
            out = options.out / f"{horizon}-seed{seed}"
            if (out / "summary.json").exists():
                run = training.Run.open(out)
            else:
                run = training.train(
                    "forecast", dataset, out=out, recipe=chosen, threads=options.threads, progress=Lines(), seed=seed
                )
            task = run.task
            found.append(run.summary["metrics"]["test_mse"])
            print(
                f"horizon {horizon}, seed {seed}: MSE {found[-1]:.4f}, MAE {run.summary['metrics']['test_mae']:.4f}, "
                f"{time.perf_counter() - start:.0f} s",
                flush=True,
            )
        if options.no_baselines:
            continue
        simple = {name: task.metrics(answers)["mse"] for name, answers in simple_answers(dataset).items()}
        row = {"horizon": horizon, "mse": found, "mean": float(np.mean(found)), "published": PUBLISHED.get(horizon)}
        rows.append(row | {"simple": simple, "windows": len(dataset.test), "recipe": chosen.to_dict()})
        print(
            f"horizon {horizon}: MSE {np.mean(found):.4f} +- {np.std(found, ddof=1) if len(found) > 1 else 0:.4f}; "
            + ", ".join(f"{k} {v:.4f}" for k, v in simple.items()),
            flush=True,
        )
    (options.out / "etth1.json").write_text(json.dumps(rows, indent=2) + "\n")


def simple_answers(dataset: ForecastDataset) -> dict[str, pl.DataFrame]:
    """What the methods without a library of statistics say of the test part; those would take days."""
    plan, spread = dataset.plan, spreads(dataset.table, dataset.ends)
    linear = Linear.fit(origins_of(dataset.train), plan.window, spread)
    points = [Naive(), Drift.fit(dataset.table), Seasonal(plan.season), LinearOnLags(dataset.table, linear, spread)]
    methods = [PointMethod.fit(point, origins_of(dataset.validation), -np.inf) for point in points]
    test = origins_of(dataset.test)
    return {method.name: answers_of(method.quantiles(test), dataset.test.targets) for method in methods}


def _field(chosen: Recipe, name: str) -> object:
    return next(
        getattr(s, name) for s in (chosen.model, chosen.training, chosen.section(ForecastOptions)) if hasattr(s, name)
    )


if __name__ == "__main__":
    main()
