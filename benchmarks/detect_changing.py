"""Detectors on made series that go on changing, scored by the rules of the Numenta benchmark.

    python benchmarks/detect_changing.py --keep FOLDER [--first-seed 1] [--threshold adaptive,combined,quantile]

Three series of each of five kinds, with faults at known rows: mentions that are counted (heavy tails and bursts),
prices, road traffic, loads whose level and jobs change, and intervals between keys. A tenth of a series' rows are its
labelled windows, each around the start of a fault, as in the benchmark. One network per series learns from the first
15 % of rows (at most 750). The adaptive threshold was chosen on these and on half of the benchmark's series.
"""

import argparse
import datetime
import itertools
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from nab import detected, kept

from gatework.bench import nab
from gatework.bench.nab import Scored

EACH = 3
Made = tuple[np.ndarray, list[int]]
"""Values, and the rows at which faults begin."""


def cycle(rows: int, by_day: int, random: np.random.Generator, sharp: float) -> np.ndarray:
    """A daily cycle, positive, about 1."""
    turns = np.arange(rows) / by_day * 2 * np.pi
    return np.exp(sharp * (np.sin(turns + 6 * random.random()) * 0.7 + 0.25 * np.sin(2 * turns + 6 * random.random())))


def wandering(rows: int, keeps: float, random: np.random.Generator, spread: float) -> np.ndarray:
    """An autoregression of the first order."""
    steps, values = random.normal(size=rows) * spread * np.sqrt(1 - keeps**2), np.zeros(rows)
    for row in range(1, rows):
        values[row] = keeps * values[row - 1] + steps[row]
    return values


def places(random: np.random.Generator, rows: int, count: int) -> list[int]:
    """Where faults begin: one in each of as many parts of the rows after the probation."""
    cuts = np.linspace(int(0.15 * min(rows, 5000)) + int(0.05 * rows), rows - int(0.08 * rows), count + 1)
    return [int(random.uniform(low, low + 0.7 * (high - low))) for low, high in itertools.pairwise(cuts)]


def mentions(random: np.random.Generator) -> Made:
    rows = 15_000
    rate = random.uniform(3, 60) * cycle(rows, 288, random, 0.8) * np.exp(wandering(rows, 0.97, random, 0.4))
    values = random.negative_binomial(2, 2 / (2 + rate)).astype(float)
    jumps = random.random(rows) < 0.002
    values[jumps] *= random.pareto(2.5, jumps.sum()) + 1.5
    faults = places(random, rows, random.integers(3, 5))
    for at in faults:
        length = int(random.integers(3, 60))
        values[at : at + length] += random.uniform(15, 60) * rate.mean() * np.exp(-np.arange(length) / (length / 3))
    return np.round(values), faults


def prices(random: np.random.Generator) -> Made:
    rows = 1620
    values = 0.1 * cycle(rows, 24, random, 0.3) * np.exp(wandering(rows, 0.8, random, 0.15))
    values *= np.exp(0.15 * random.standard_t(4, rows))
    faults = places(random, rows, random.integers(1, 4))
    for at in faults:
        values[at : at + int(random.integers(1, 6))] *= random.uniform(2.5, 8)
    return values, faults


def road(random: np.random.Generator) -> Made:
    rows = 2400
    values = 70 - 10 * cycle(rows, 200, random, 0.8) / 2 + wandering(rows, 0.6, random, 4)
    values = values + random.normal(size=rows) * 3
    values = values - (random.random(rows) < 0.01) * random.exponential(10, rows)
    faults = places(random, rows, random.integers(1, 3))
    for at in faults:
        values[at : at + int(random.integers(4, 30))] -= random.uniform(25, 45)
    return values, faults


def load(random: np.random.Generator) -> Made:
    rows = 4032
    values = random.uniform(5, 40) + wandering(rows, 0.9, random, 1.0) + random.exponential(1, rows)
    values[:: int(random.integers(50, 300))] += random.uniform(5, 20)
    faults = places(random, rows, random.integers(1, 3))
    for at in faults:
        kind = random.integers(3)
        if kind == 0:
            values[at:] += random.uniform(8, 30) * random.choice([-1, 1]) * 0.5
        elif kind == 1:
            values[at : at + int(random.integers(2, 30))] += random.uniform(15, 50)
        else:
            part = values[at : at + int(random.integers(150, 400))]
            part += random.normal(size=len(part)) * random.uniform(5, 10)
    return np.maximum(values, 0), faults


def keys(random: np.random.Generator) -> Made:
    rows = 3000
    values = np.exp(wandering(rows, 0.3, random, 0.5)) * 0.1 * (1 + 0.3 * np.sin(np.arange(rows) / 300))
    faults = places(random, rows, random.integers(1, 3))
    for at in faults:
        values[at : at + int(random.integers(10, 80))] *= random.uniform(2.5, 5)
    return values, faults


KINDS: dict[str, tuple[Callable[[np.random.Generator], Made], int]] = {
    "mentions": (mentions, 300),
    "price": (prices, 3600),
    "road": (road, 432),
    "load": (load, 300),
    "keys": (keys, 600),
}
"""How a series is made, and the seconds between its rows."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, required=True, help="keep each series' scores here")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--threshold", default="adaptive,combined,quantile")
    options = parser.parse_args()
    thresholds = tuple(options.threshold.split(","))
    scores: dict[str, dict[str, Scored]] = {}
    for kind, (make, seconds) in KINDS.items():
        for number in range(EACH):
            values, faults = make(np.random.default_rng([options.first_seed, number, sum(map(ord, kind))]))
            name = f"{kind}-{options.first_seed}-{number}"
            answered = kept(options.keep, f"{options.threshold} {name}", partial(judged, values, seconds, thresholds))
            for method, each in answered.items():
                scores.setdefault(method, {})[name] = Scored(each, windows(len(values), faults))
    print("| threshold | score, the best threshold of all | its own |\n| --- | --- | --- |")
    for method, corpus in scores.items():
        print(f"| {method} | {nab.score(corpus).score:.1f} | {nab.score_at(corpus, 0.5).score:.1f} |")


def windows(rows: int, faults: list[int]) -> list[tuple[int, int]]:
    """The labelled windows of a series, a tenth of its rows together."""
    half = max(int(0.1 * rows / max(len(faults), 1)), 20) // 2
    return [(max(at - half, 0), min(at + half, rows - 1)) for at in faults]


def judged(values: np.ndarray, seconds: int, thresholds: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The scores by each threshold, of a network that learnt from the first rows."""
    start = datetime.datetime(2024, 1, 1)
    stamps = [str(start + datetime.timedelta(seconds=seconds * row)) for row in range(len(values))]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "series.csv"
        pl.DataFrame({"timestamp": stamps, "value": values}).write_csv(file)
        return detected(file, 0, {}, thresholds)


if __name__ == "__main__":
    main()
