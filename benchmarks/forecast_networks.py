"""Several networks beside one: what `--networks N` does to a forecaster, at equal epochs.

    python benchmarks/forecast_networks.py --out FOLDER [--networks 3] [--seeds 2] [--tables seasons,walks]
        [--table FILE.csv time=date target=OT horizon=48 test_steps=960 ...]

Six generated tables and two panels of counts, and the last part of tables that are given, with settings of their own.
Prints a Markdown row per table: the figures of N networks divided by those of one, of the network alone and of what
answers (the mean with simple methods, without those of statsforecast), and the time of the epochs likewise.
Writes FOLDER/networks.json; what is there is not trained again.
"""

import argparse
import json
import shutil
import time
from pathlib import Path

import numpy as np
import polars as pl
from forecast_counts import PANEL, panel
from runs import settings

from gatework import training
from gatework.tasks.forecast.statistical import STATISTICAL

FIGURES = ("mase", "wql", "msis_80", "msis_95")
COUNTED = ("poisson", "bursts")
DAYS = {"time": "day", "target": "y", "series": "name", "horizon": 14}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--networks", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--tables", default=",".join((*KINDS, *COUNTED)))
    parser.add_argument("--table", nargs="+", action="append", default=[], metavar="FILE NAME=VALUE")
    options = parser.parse_args()
    STATISTICAL.clear()
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "networks.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    given = {Path(path).name.partition(".")[0]: (path, said) for path, *said in options.table}
    names = [*filter(None, options.tables.split(",")), *given]
    for name in names:
        for networks in (1, options.networks):
            for seed in range(options.seeds):
                key = f"{name}|{networks}|{seed}"
                if key not in kept:
                    kept[key] = trained(*table(name, given), options, networks=networks, seed=seed)
                    file.write_text(json.dumps(kept, indent=1) + "\n")
    show(names, kept, options)


def trained(source: str | pl.DataFrame, changes: dict, options: argparse.Namespace, **more: int) -> dict:
    """The figures of one training, of its network alone and of what answers."""
    out, start = options.out / "run", time.process_time()
    shutil.rmtree(out, ignore_errors=True)
    fixed = {"epochs": options.epochs, "max_windows": 2000, "patience": 0}
    run = training.train("forecast", source, out=out, threads=1, **{**fixed, **changes, **more})
    summary = run.summary
    said = {"network": summary.get("network", summary["metrics"]), "answer": summary["metrics"]}
    figures = {f"{who}_{name}": every[f"test_{name}"] for who, every in said.items() for name in FIGURES}
    return figures | {"training": summary["seconds"], "seconds": time.process_time() - start}


def show(names: list[str], kept: dict, options: argparse.Namespace) -> None:
    """A row for each table, of the ratio of means over seeds, and their geometric mean."""
    columns = [f"{who}_{name}" for who in ("network", "answer") for name in FIGURES] + ["training"]
    print(f"| table | {' | '.join(columns)} |\n|{' --- |' * (1 + len(columns))}")
    rows = {}
    for name in names:
        mean = {
            n: np.array([[kept[f"{name}|{n}|{seed}"][column] for column in columns] for seed in range(options.seeds)])
            for n in (1, options.networks)
        }
        rows[name] = mean[options.networks].mean(axis=0) / mean[1].mean(axis=0)
    for name, row in (rows | {"geometric mean": np.exp(np.log(np.stack([*rows.values()])).mean(axis=0))}).items():
        print(f"| {name} | {' | '.join(f'{ratio:.3f}' for ratio in row)} |")


def table(name: str, given: dict) -> tuple[str | pl.DataFrame, dict]:
    """A table and its settings."""
    if name in given:
        path, said = given[name]
        return path, settings(argparse.Namespace(set=said))
    return (panel(name, 0), PANEL) if name in COUNTED else KINDS[name](np.random.default_rng(len(name)))


def long(series: np.ndarray, step: str, first: str) -> pl.DataFrame:
    """A table of series, shape (series, steps), as a person has it."""
    times = np.datetime64(first, step) + np.arange(series.shape[1])
    times = times.astype("datetime64[ms]")
    rows = [pl.DataFrame({"day": times, "name": [f"{k}"] * len(times), "y": each}) for k, each in enumerate(series)]
    return pl.concat(rows)


def noise(rng: np.random.Generator, count: int, steps: int, carried: float) -> np.ndarray:
    """Noise that lasts."""
    said = rng.normal(size=(count, steps))
    for step in range(1, steps):
        said[:, step] += carried * said[:, step - 1]
    return said


def week(rng: np.random.Generator) -> tuple[pl.DataFrame, dict]:
    """Daily: levels that wander, a week, noise that lasts."""
    season = np.tile(rng.normal(0, 2, (6, 7)), 58)[:, :400]
    return long(
        50 + season + 0.3 * rng.normal(size=(6, 400)).cumsum(axis=1) + noise(rng, 6, 400, 0.6), "D", "2022-01-03"
    ), DAYS


def walks(rng: np.random.Generator) -> tuple[pl.DataFrame, dict]:
    """Daily: random walks."""
    return long(100 + rng.normal(size=(6, 400)).cumsum(axis=1), "D", "2022-01-03"), DAYS


def storms(rng: np.random.Generator) -> tuple[pl.DataFrame, dict]:
    """Daily: a spread that wanders about a level that returns."""
    spread = np.exp(0.5 * noise(rng, 6, 500, 0.95) * 0.3)
    return long(20 + noise(rng, 6, 500, 0.8) * spread, "D", "2022-01-03"), DAYS


def seasons(rng: np.random.Generator) -> tuple[pl.DataFrame, dict]:
    """Hourly: a day and a week, of which the latter changes the former."""
    hours = np.arange(1500)
    day = np.sin(2 * np.pi * (hours[None] / 24 + rng.random((4, 1))))
    weekend = (hours // 24 % 7 >= 5) * rng.uniform(0.3, 0.8, (4, 1))
    values = 10 + (3 * day + 1.5 * day**2) * (1 - weekend) + 0.6 * noise(rng, 4, 1500, 0.8)
    return long(values, "h", "2022-01-03"), DAYS | {"horizon": 24}


def months(rng: np.random.Generator) -> tuple[pl.DataFrame, dict]:
    """Monthly: growth by shares with a year."""
    year = np.tile(rng.normal(0, 0.2, (20, 12)), 12)
    growth = (rng.normal(0.004, 0.004, (20, 1)) + 0.02 * rng.normal(size=(20, 144))).cumsum(axis=1)
    return long(np.exp(5 + year + growth + 0.03 * rng.normal(size=(20, 144))), "M", "2010-01"), DAYS | {"horizon": 12}


def bent(rng: np.random.Generator) -> tuple[pl.DataFrame, dict]:
    """Daily: what no regression tells, a threshold autoregression with two rhythms."""
    values = rng.normal(size=(6, 500))
    for step in range(7, 500):
        before, week_ago = values[:, step - 1], values[:, step - 7]
        values[:, step] += np.where(before > 0, 0.9 * np.tanh(week_ago) - 0.4 * before, 0.6 * before + 1.0)
    return long(values, "D", "2022-01-03"), DAYS


KINDS = {"week": week, "walks": walks, "storms": storms, "seasons": seasons, "months": months, "bent": bent}

if __name__ == "__main__":
    main()
