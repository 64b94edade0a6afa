"""The built-in tables: the LSTM with several seeds beside every simple method, on the same test origins.

    python benchmarks/forecast.py --out FOLDER [--sets airline,co2,retail,weather,sunspots,stocks] [--seeds 3]

Prints one Markdown row per table and writes FOLDER/forecast.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from gatework import training
from gatework.training.fitting import prepare
from gatework.training.progress import Lines

STATISTICAL = ("AutoETS", "AutoTheta", "AutoARIMA")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", default="airline,co2,retail,weather,sunspots,stocks")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = {}
    for name in options.sets.split(","):
        dataset, recipe = prepare(name, "forecast", None, {})
        runs = [
            training.train(
                "forecast",
                dataset,
                out=options.out / f"{name}-seed{seed}",
                recipe=recipe,
                seed=seed,
                threads=options.threads,
                progress=Lines(),
            )
            for seed in range(options.seeds)
        ]
        task = runs[0].task
        found = {"lstm": [run.summary["metrics"] for run in runs]}
        for simple in task.baselines(dataset):
            metrics = task.metrics(simple.answers)
            found[simple.name] = [{f"test_{key}": value for key, value in metrics.items()}]
        rows[name] = found
        mase = {method: float(np.mean([m["test_mase"] for m in values])) for method, values in found.items()}
        best = min(STATISTICAL, key=lambda method: mase.get(method, np.inf))
        coverage = np.mean([[m["test_coverage_80"], m["test_coverage_95"]] for m in found["lstm"]], axis=0)
        print(
            f"| {name} | {len(dataset.test)} | {mase['lstm']:.3f} | {mase.get('seasonal naive', mase['naive']):.3f} | "
            f"{mase['linear on lags']:.3f} | {best} {mase[best]:.3f} | {mase['lstm'] / mase[best] - 1:+.0%} | "
            f"{coverage[0]:.2f} | {coverage[1]:.2f} |",
            flush=True,
        )
        (options.out / "forecast.json").write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
