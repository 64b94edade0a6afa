"""Whether intervals hold: the built-in tables with test parts long enough to tell, without training again and with it.

    python benchmarks/forecast_intervals.py --out FOLDER [--sets airline,co2,...] [--seeds 3] [--refits 0,1]

Prints one Markdown row per table and writes FOLDER/intervals.json. Runs that are there already are not trained again.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from gatework import training
from gatework.tasks.forecast.metrics import chance, distinct_steps
from gatework.training.fitting import prepare
from gatework.training.progress import Lines
from gatework.training.run import Run

# The last half or so of each table; a year's worth of steps, or as many as make four to ten trainings.
TEST = {"airline": 60, "co2": 240, "retail": 120, "sunspots": 120, "weather": 730, "stocks": 1000}
REFIT = {"airline": 12, "co2": 24, "retail": 12, "sunspots": 33, "weather": 182, "stocks": 250}
VALIDATION = {"airline": 24, "co2": 24, "retail": 24, "sunspots": 33, "weather": 182, "stocks": 100}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", default=",".join(TEST))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--refits", default="0,1", help="0 trains once, 1 again and again")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in options.sets.split(","):
        for again in map(int, options.refits.split(",")):
            steps = {"test_steps": TEST[name], "validation_steps": VALIDATION[name], "refit": again * REFIT[name]}
            dataset, recipe = prepare(name, "forecast", None, {**steps, "max_origins": 1000})
            found = []
            for seed in range(options.seeds):
                out = options.out / f"{name}-{'refit' if again else 'once'}-seed{seed}"
                if not (out / "summary.json").exists():
                    training.train(
                        "forecast",
                        dataset,
                        out=out,
                        recipe=recipe,
                        seed=seed,
                        threads=options.threads,
                        progress=Lines(),
                    )
                found.append(Run.open(out).summary["metrics"])
            count = distinct_steps(dataset.test.targets)
            means = {key: float(np.mean([m[f"test_{key}"] for m in found])) for key in ("coverage_80", "coverage_95")}
            means["mase"] = float(np.mean([m["test_mase"] for m in found]))
            rows.append({"table": name, "trainings": len(dataset.trainings), "steps": count, "metrics": found} | means)
            sizes = f"{count:,} | {len(dataset.test):,} | {len(dataset.trainings)}"
            shares = f"{means['coverage_80']:.2f} | {means['coverage_95']:.2f} | {100 * chance(0.8, count):.1f}"
            print(f"| {name} | {sizes} | {shares} | {means['mase']:.3f} |", flush=True)
            (options.out / "intervals.json").write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
