"""Shops that close, open late, or begin to open on Sundays: what the rules on zeros change.

    python benchmarks/forecast_shops.py --out FOLDER [--seeds 3] [--kinds closed,opens,...]

Generated daily sales of two shops, 80 weeks, 14 days ahead, the last 16 weeks for testing, without statsforecast's
methods. Prints a Markdown row per kind with the rules and without the one that it is about: the answer's MASE, quantile
loss, MSIS and coverage, means over seeds. Writes FOLDER/shops.json; what is there is not trained again.
"""

import argparse
import contextlib
import datetime
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import polars as pl

from gatework import training
from gatework.tasks.forecast import data, statistical
from gatework.tasks.forecast.rests import Rests

WEEKS, SHOPS, MONDAY = 80, 2, datetime.datetime(2022, 1, 3)
FIGURES = ("mase", "wql", "msis_80", "msis_95", "coverage_80", "coverage_95")
CLOSED, BEGUN = "closed days", "beginnings"
RULES = {
    "closed": CLOSED,
    "opens": CLOSED,
    "one-off": CLOSED,
    **{f"begins in week {week}": BEGUN for week in (15, 30, 40)},
}
OPTIONS = {"time": "time", "target": "y", "series": "store", "horizon": 14, "epochs": 8, "max_origins": 1000}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kinds", default=",".join(RULES))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    statistical.MOST_SERIES = 0
    file = options.out / "shops.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    head = ("shops", "rule", *FIGURES)
    print(f"| {' | '.join(head)} |\n|{' --- |' * len(head)}", flush=True)
    for kind in options.kinds.split(","):
        for rule in (f"without {RULES[kind]}", "with it"):
            rows = []
            for seed in range(options.seeds):
                key = f"{kind}|{seed}|{rule}"
                if key not in kept:
                    kept[key] = trained(kind, seed, rule, options.out / "run")
                    file.write_text(json.dumps(kept, indent=1) + "\n")
                rows.append([kept[key][figure] for figure in FIGURES])
            print(f"| {kind} | {rule} | {' | '.join(f'{mean:.3f}' for mean in np.mean(rows, axis=0))} |", flush=True)


def trained(kind: str, seed: int, rule: str, out: Path) -> dict[str, float]:
    """The figures of the answer of one training."""
    shutil.rmtree(out, ignore_errors=True)
    with without(rule.removeprefix("without ")) if rule != "with it" else contextlib.nullcontext():
        run = training.train("forecast", shops(kind, seed), out=out, seed=seed, threads=1, **OPTIONS)
    return {figure: run.summary["metrics"][f"test_{figure}"] for figure in FIGURES}


@contextlib.contextmanager
def without(rule: str) -> Iterator[None]:
    """A rule left out."""
    if rule == CLOSED:
        with mock.patch.object(Rests, "fit", classmethod(lambda cls, *_: cls())):
            yield
    else:
        with mock.patch.object(data, "without_leading_zeros", lambda table, ends: table):
            yield


def shops(kind: str, seed: int) -> pl.DataFrame:
    """Daily sales with a season of a week about a level that wanders; without a say, closed on Sundays."""
    rng, rows = np.random.default_rng(100 + seed), []
    day = np.arange(7 * WEEKS)
    for shop in range(SHOPS):
        week = rng.uniform(0.5, 1.5, 7) * 40
        level = np.exp(np.cumsum(rng.normal(0, 0.02, len(day))))
        sold = rng.poisson(week[day % 7] * level / level.mean()).astype(float) + 1
        is_closed = (day % 7 == 6) & ((kind != "opens") | (day // 7 < 70 + 3 * shop))
        if kind == "one-off":
            is_closed &= ~np.isin(day // 7, (66 + 3 * shop, 72 + 2 * shop))
        begins = int(kind.split()[-1]) if kind.startswith("begins") else 0
        sold[is_closed | (day // 7 < begins)] = 0
        rows += [
            (MONDAY + datetime.timedelta(int(k)), f"shop {shop}", value) for k, value in zip(day, sold, strict=True)
        ]
    return pl.DataFrame(rows, schema=["time", "store", "y"], orient="row")


if __name__ == "__main__":
    main()
