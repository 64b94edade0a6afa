"""Counts: a network with free quantiles beside what `--distribution auto` learns and chooses.

    python benchmarks/forecast_counts.py --out FOLDER [--seeds 3] [--tables poisson,rare]

Nine kinds of daily panels (12 series of 280 days, horizon 14), the network alone, its intervals stretched as they are
in use; and of the built-in monthly sales, which auto takes for amounts, the law of a count on the validation part.
Prints a Markdown row per table, in parts of the figures of free quantiles. Writes FOLDER/counts.json; what is there is
not trained again.
"""

import argparse
import json
import shutil
from collections import defaultdict
from pathlib import Path

import numpy as np
import polars as pl

from gatework import training
from gatework.tasks.forecast.conformal import Calibration, stretched
from gatework.tasks.forecast.data import ForecastDataset
from gatework.tasks.forecast.metrics import arrays_of, scaled_quantile_loss
from gatework.training import Run
from gatework.training.fitting import prepare

STEPS, SERIES = 280, 12
FREE, LAW, AUTO = "free", "negative-binomial", "auto"
FIGURES = ("loss", "mase", "msis_80", "msis_95")
HEAD = ("table", "seeds", *FIGURES, "law chosen")
SALES = "monthly sales"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tables", default=",".join((*KINDS, SALES)))
    parser.add_argument("--epochs", type=int, default=12)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "counts.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    names = options.tables.split(",")
    for seed in range(options.seeds):
        for name in names:
            for distribution in (FREE, LAW if name == SALES else AUTO):
                key = f"{name}|{seed}|{distribution}"
                if key not in kept:
                    kept[key] = trained(name, seed, distribution, options)
                    file.write_text(json.dumps(kept, indent=1) + "\n")
    print(f"| {' | '.join(HEAD)} |\n| {' | '.join('---' for _ in HEAD)} |")
    rows = [ratios(name, seed, kept) for name in names for seed in range(options.seeds)]
    grouped = defaultdict(list)
    for row in rows:
        grouped[row["table"]].append(row)
        if row["table"] != SALES:
            grouped["all generated"].append(row)
    for name, group in grouped.items():
        figures = [f"{np.mean([row[column] for row in group]):.3f}" for column in HEAD[2:-1]]
        print(f"| {name} | {len(group)} | {' | '.join(figures)} | {sum(row['law chosen'] for row in group)} |")


def trained(name: str, seed: int, distribution: str, options: argparse.Namespace) -> dict:
    """The figures of one training."""
    changes = {"epochs": options.epochs, "blend": False, "seed": seed, "distribution": distribution}
    source: str | pl.DataFrame = "retail"
    if name != SALES:
        source = panel(name, seed)
        changes |= {"time": "day", "target": "sold", "series": "item", "horizon": 14, "max_windows": 2500}
    dataset, recipe = prepare(source, "forecast", None, changes)
    out = options.out / "run"
    shutil.rmtree(out, ignore_errors=True)
    run = training.train("forecast", dataset, out=out, recipe=recipe, threads=1)
    metrics = {key.removeprefix("test_"): value for key, value in run.summary["metrics"].items()}
    answers = pl.read_parquet(out / "answers.parquet")
    if name == SALES:
        # Of a built-in table the validation part alone is looked at.
        answers = on_validation(run, dataset)
        metrics = run.task.metrics(answers)
    figures = {figure: metrics[figure] for figure in FIGURES[1:]}
    return figures | {"loss": scaled_quantile_loss(*arrays_of(answers)), "law": LAW in run.network.answering}


def on_validation(run: Run, dataset: ForecastDataset) -> pl.DataFrame:
    """The network's answers to the validation part, stretched by what was known when each was made."""
    task, network, held = run.task, run.network, dataset.validation
    said = task.outputs(network, task.encode(held))[0]
    known = Calibration.unknown(1, task.plan.horizon, network.least_side)
    factors, _ = known.follow(said, held.targets["value"], held.inputs.times(), np.zeros(len(held), dtype=np.int64))
    return task.answers(stretched(said.astype(np.float64), factors), held)


def ratios(name: str, seed: int, kept: dict) -> dict:
    """The figures in parts of those of free quantiles."""
    free, other = kept[f"{name}|{seed}|{FREE}"], kept[f"{name}|{seed}|{LAW if name == SALES else AUTO}"]
    return {"table": name, "law chosen": other["law"]} | {figure: other[figure] / free[figure] for figure in FIGURES}


def panel(kind: str, seed: int) -> pl.DataFrame:
    """Daily counts of a dozen items."""
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    days = np.datetime64("2023-01-02", "D") + np.arange(STEPS)
    columns = [
        {"day": days, "item": [f"item {k}"] * STEPS, "sold": np.asarray(KINDS[kind](rng), dtype=np.float64)}
        for k in range(SERIES)
    ]
    return pl.concat([pl.DataFrame(each) for each in columns])


def week(rng: np.random.Generator) -> np.ndarray:
    """Seven days that differ, with a mean of 1, over all steps."""
    days = np.exp(rng.normal(0, 0.35, 7))
    return np.resize(days / days.mean(), STEPS)


def level(rng: np.random.Generator, typical: float) -> float:
    return typical * float(np.exp(rng.normal(0, 0.6)))


def spread_out(rng: np.random.Generator, mean: np.ndarray, r: float) -> np.ndarray:
    """Negative binomial counts with the variance mean + mean² / r."""
    return rng.poisson(rng.gamma(r, mean / r))


def rare(rng: np.random.Generator) -> np.ndarray:
    return (rng.random(STEPS) < rng.uniform(0.05, 0.2)) * (1 + rng.poisson(1, STEPS))


def lumpy(rng: np.random.Generator) -> np.ndarray:
    chance = week(rng)
    return (rng.random(STEPS) < 0.3 * chance / chance.max()) * (1 + spread_out(rng, np.full(STEPS, level(rng, 6)), 1.0))


def bursts(rng: np.random.Generator) -> np.ndarray:
    log_rate = np.zeros(STEPS)
    for step in range(1, STEPS):
        log_rate[step] = 0.95 * log_rate[step - 1] + 0.25 * rng.normal()
    return rng.poisson(level(rng, 3) * np.exp(log_rate - log_rate.var() / 2))


def trend(rng: np.random.Generator) -> np.ndarray:
    growth = np.exp(rng.normal(0, 0.7) * np.arange(STEPS) / STEPS)
    return spread_out(rng, level(rng, 10) * week(rng) * growth, 8.0)


KINDS = {
    "poisson": lambda rng: rng.poisson(level(rng, 2) * week(rng)),
    "overdispersed": lambda rng: spread_out(rng, level(rng, 5) * week(rng), 1.5),
    "extra zeros": lambda rng: rng.poisson(level(rng, 4) * week(rng)) * (rng.random(STEPS) > 0.35),
    "rare": rare,
    "lumpy": lumpy,
    "bursts": bursts,
    "trend": trend,
    "packs of six": lambda rng: 6 * rng.poisson(level(rng, 1) * week(rng)),
    "large": lambda rng: spread_out(rng, level(rng, 60) * week(rng), 40.0),
}

if __name__ == "__main__":
    main()
