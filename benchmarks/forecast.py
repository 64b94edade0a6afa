"""The built-in tables: what a run answers, and its network alone, beside the best simple method on the same origins.

    python benchmarks/forecast.py --out FOLDER [--sets airline,co2,retail,weather,sunspots,stocks] [--seeds 3]

Prints one Markdown row per table: the MASE and the interval scores (MSIS at 80 and 95 %) of the answer, each divided by
the best simple method's by that figure. Writes FOLDER/forecast.json; runs that are finished are not trained again.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from gatework import training
from gatework.training import Run
from gatework.training.fitting import prepare
from gatework.training.progress import Lines

FIGURES = ("mase", "msis_80", "msis_95")
HEAD = ("table", "origins", "answer", "network", "best simple", *(f"{name} / best" for name in FIGURES), "answered by")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", default="airline,co2,retail,weather,sunspots,stocks")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    kept = options.out / "forecast.json"
    rows = json.loads(kept.read_text()) if kept.exists() else {}
    print(f"| {' | '.join(HEAD)} |\n| {' | '.join('---' for _ in HEAD)} |", flush=True)
    for name in options.sets.split(","):
        rows[name] = measured(name, options)
        print(row_of(name, rows[name]), flush=True)
        kept.write_text(json.dumps(rows, indent=2) + "\n")


def measured(name: str, options: argparse.Namespace) -> dict:
    """Every figure of the answers, the networks alone and the simple methods on the test part."""
    changes = {"epochs": options.epochs} if options.epochs else {}
    dataset, recipe = prepare(name, "forecast", None, changes)
    runs = []
    for seed in range(options.seeds):
        out = options.out / f"{name}-seed{seed}"
        chosen = {"out": out, "recipe": recipe, "seed": seed, "threads": options.threads, "progress": Lines()}
        is_there = (out / "summary.json").exists()
        runs.append(Run.open(out) if is_there else training.train("forecast", dataset, **chosen))
    task = runs[0].task
    return {
        "origins": len(dataset.test),
        "answer": [run.summary["metrics"] for run in runs],
        "network": [run.summary["network"] for run in runs],
        "chosen": [run.summary["answer"]["name"] for run in runs],
        "simple": {
            simple.name: {f"test_{key}": value for key, value in task.metrics(simple.answers).items()}
            for simple in task.baselines(dataset)
        },
    }


def row_of(name: str, row: dict) -> str:
    """A line of the table."""
    means = {who: mean(row[who], "mase") for who in ("answer", "network")}
    spread = np.std([values["test_mase"] for values in row["answer"]])
    best = min(row["simple"], key=lambda method: row["simple"][method]["test_mase"])
    ratios = [
        mean(row["answer"], figure) / min(values[f"test_{figure}"] for values in row["simple"].values())
        for figure in FIGURES
    ]
    cells = [
        name,
        str(row["origins"]),
        f"{means['answer']:.3f} ± {spread:.3f}",
        f"{means['network']:.3f}",
        f"{best} {row['simple'][best]['test_mase']:.3f}",
        *(f"{ratio:.3f}" for ratio in ratios),
        row["chosen"][0],
    ]
    return f"| {' | '.join(cells)} |"


def mean(values: list[dict], figure: str) -> float:
    return float(np.mean([each[f"test_{figure}"] for each in values]))


if __name__ == "__main__":
    main()
