"""Data larger than memory: packing rows into a store, the memory that takes, and what a batch costs beside its step.

python benchmarks/store.py --out FOLDER [--kind rows] [--rows 1000000 10000000 100000000] [--columns 8] [--hidden 32]

For each number of rows a folder of Parquet files of float32 is written, packed by a process of its own, and a network
trained by another one for some steps. The kinds: rows of numbers and texts to classify; a long table of series of 1,000
steps, written hour by hour as they come in, to forecast; the same to watch; lines to write on. Both folders are
removed afterwards. One thread each: set OMP_NUM_THREADS=1 and POLARS_MAX_THREADS=1.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from gatework import tasks
from gatework.data.dataset import Dataset, Examples
from gatework.recipe import Recipe, find_recipe
from gatework.training.optimizer import Adam

FILE = 1_000_000
WORDS = 30_000
STEPS = 1000
TASKS = {"rows": "classify", "texts": "classify", "forecast": "forecast", "detect": "detect", "lines": "generate"}


def write_table(folder: Path, rows: int, columns: int, kind: str) -> None:
    """Rows of numbers, or of so many words, whose class is weakly told by them; or a long table, hour by hour."""
    folder.mkdir(parents=True, exist_ok=True)
    each = FILE if kind not in ("texts", "lines") else 20_000
    for first in range(0, rows, each):
        random, count = np.random.default_rng(first), min(each, rows - first)
        if kind == "rows":
            frame = numbers(random, count, columns)
        elif kind in ("texts", "lines"):
            frame = texts(random, count, columns)
        else:
            frame = hours(random, np.arange(first, first + count), max(rows // STEPS, 1))
        if kind == "lines":
            (folder / f"part-{first // each:05}.txt").write_text("\n".join(frame["text"]), encoding="utf-8")
            continue
        frame.write_parquet(folder / f"part-{first // each:05}.parquet", compression="uncompressed")


def texts(random: np.random.Generator, count: int, columns: int) -> pl.DataFrame:
    """Texts of so many words."""
    words = np.array([f"word{k}" for k in range(WORDS)])
    ranks = random.zipf(1.2, (count, columns)) % WORDS
    return pl.DataFrame({"text": [" ".join(row) for row in words[ranks]], "label": ranks.sum(1) % 2})


def numbers(random: np.random.Generator, count: int, columns: int) -> pl.DataFrame:
    """Rows of so many numbers."""
    values = random.normal(0, 1, (count, columns)).astype(np.float32)
    frame = pl.DataFrame(values, schema=[f"x{k}" for k in range(columns)])
    return frame.with_columns(label=pl.Series((values.sum(1) > 0).astype(np.int8)))


def hours(random: np.random.Generator, places: np.ndarray, count: int) -> pl.DataFrame:
    """Rows of so many series, one hour after the other, with a day's season."""
    step, series = np.divmod(places, count)
    value = np.sin(step * 2 * np.pi / 24) + series % 10 + random.normal(0, 0.3, len(places))
    stamps = np.datetime64("2020-01-01", "us") + step * np.timedelta64(3600, "s")
    return pl.DataFrame({"time": stamps, "series": series.astype(np.int32), "value": value.astype(np.float32)})


def recipe_of(kind: str, store: Path, hidden: int) -> Recipe:
    """What is trained."""
    chosen: dict[str, Any] = {"hidden": hidden, "store": str(store)}
    if kind == "lines":
        chosen["embedding"] = hidden
    elif kind in ("rows", "texts"):
        chosen |= {"embedding": hidden, "label": "label", "text": "text" if kind == "texts" else None}
    else:
        chosen |= {"time": "time", "series": "series", "target": "value"}
    if kind == "forecast":
        chosen |= {"horizon": 24, "window": 96, "season": 24, "max_windows": 10**9}
    return find_recipe(TASKS[kind]).changed(**chosen)


def peak() -> float:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def load(table: Path, recipe: Recipe) -> tuple[Dataset, dict[str, float]]:
    """Packs a table here, or opens its store."""
    before, wall = time.process_time(), time.perf_counter()
    dataset = tasks.get(recipe.task).load(table, recipe)
    return dataset, {"CPU s": time.process_time() - before, "s": time.perf_counter() - wall, "peak MB": peak()}


def train(table: Path, recipe: Recipe, steps: int) -> dict[str, float]:
    """Opens a store and takes steps on it."""
    dataset, opened = load(table, recipe)
    task = tasks.get(recipe.task).fit(dataset, recipe.data)
    torch.set_num_threads(1)
    model = task.model(recipe.model)
    optimizer = Adam(model.parameters())
    examples = task.encode(dataset.train)
    fetching = computing = 0.0
    order = task.order(examples, recipe.training, 1)
    first = time.process_time()
    examples.batch(order[len(order) - 1])  # before the first batch of all, every series is looked at
    first = time.process_time() - first
    for step in range(steps):
        start = time.perf_counter()
        batch = examples.batch(order[step % len(order)])
        fetched = time.perf_counter()  # a thread reads meanwhile: what the step waits for it counts
        optimizer.forget_gradients()
        task.loss(model, batch).mean().backward()
        optimizer.step(1e-3)
        fetching, computing = fetching + fetched - start, computing + time.perf_counter() - fetched
    return {
        "opening, CPU s": opened["CPU s"],
        "the first batch, CPU s": first,
        "fetch, us": 1e6 * fetching / steps,
        "without steps between, us": min(fetch_alone(examples, order) for _ in range(5)),
        "step, ms": 1e3 * (fetching + computing) / steps,
        "fetch share, %": 100 * fetching / (fetching + computing),
        "peak MB": peak(),
    }


def fetch_alone(examples: Examples, order: Sequence[np.ndarray]) -> float:
    """The time of a batch, in us, where several are fetched one after the other."""
    count, start = min(len(order), 200), time.process_time()
    for place in range(count):
        examples.batch(order[place])
    return 1e6 * (time.process_time() - start) / count


def main() -> None:
    """Measures each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kind", choices=tuple(TASKS), default="rows")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--columns", type=int, default=8, help="numbers of a row, or words of a text or a line")
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--do", choices=("all", "pack", "train"), default="all")
    given = parser.parse_args()
    for rows in given.rows:
        table, store = given.out / f"table-{rows}", given.out / f"store-{rows}"
        recipe = recipe_of(given.kind, store, given.hidden)
        if given.do == "pack":
            print(json.dumps(load(table, recipe)[1]))
            continue
        if given.do == "train":
            print(json.dumps(train(table, recipe, given.steps)))
            continue
        write_table(table, rows, given.columns, given.kind)
        print(f"{rows:,} rows, {sum(f.stat().st_size for f in table.iterdir()) / 1e6:,.0f} MB")
        for what in ("pack", "train"):
            arguments = [f"--{name}={getattr(given, name)}" for name in ("out", "kind", "columns", "hidden", "steps")]
            command = [sys.executable, __file__, *arguments, "--rows", str(rows), "--do", what]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
            if done.returncode:
                sys.exit(done.stderr)
            figures = json.loads(done.stdout.splitlines()[-1])
            print(f"  {what}: " + ", ".join(f"{name} {value:,.1f}" for name, value in figures.items()), flush=True)
            if what == "pack":
                print(f"  {rows / figures['CPU s']:,.0f} rows a second of one core")
        shutil.rmtree(table)
        shutil.rmtree(store)


if __name__ == "__main__":
    main()
