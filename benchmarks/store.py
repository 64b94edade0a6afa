"""Data larger than memory: packing rows into a store, the memory that takes, and what a batch costs beside its step.

python benchmarks/store.py --out FOLDER [--rows 1000000 10000000 100000000] [--columns 8] [--hidden 32] [--texts 0]

For each number of rows a folder of Parquet files of float32 is written, packed by a process of its own, and a network
trained by another one for some steps. Both folders are removed afterwards. One thread each: set OMP_NUM_THREADS=1 and
POLARS_MAX_THREADS=1.
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
from pathlib import Path

import numpy as np
import polars as pl
import torch

from gatework import tasks
from gatework.data.store.packing import packed_dataset
from gatework.options import DataOptions, TrainingOptions
from gatework.recipe import Recipe, find_recipe
from gatework.training.optimizer import Adam

FILE = 1_000_000
WORDS = 30_000


def write_table(folder: Path, rows: int, columns: int, texts: int) -> None:
    """Rows of numbers, or of so many words, whose class is weakly told by them."""
    folder.mkdir(parents=True, exist_ok=True)
    each = FILE if not texts else 20_000
    words = np.array([f"word{k}" for k in range(WORDS)])
    for first in range(0, rows, each):
        random = np.random.default_rng(first)
        count = min(each, rows - first)
        if texts:
            ranks = random.zipf(1.2, (count, texts)) % WORDS
            frame = pl.DataFrame({"text": [" ".join(row) for row in words[ranks]], "label": ranks.sum(1) % 2})
        else:
            values = random.normal(0, 1, (count, columns)).astype(np.float32)
            frame = pl.DataFrame(values, schema=[f"x{k}" for k in range(columns)])
            frame = frame.with_columns(label=pl.Series((values.sum(1) > 0).astype(np.int8)))
        frame.write_parquet(folder / f"part-{first // each:05}.parquet", compression="uncompressed")


def options(store: Path, texts: int) -> DataOptions:
    """The options of reading."""
    return DataOptions(label="label", text="text" if texts else None, store=str(store))


def peak() -> float:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def pack(table: Path, store: Path, texts: int) -> dict[str, float]:
    """Packs a table here."""
    before, wall = time.process_time(), time.perf_counter()
    dataset = packed_dataset(table, options(store, texts), "label")
    seconds = time.process_time() - before
    return {
        "packing, CPU s": seconds,
        "packing, s": time.perf_counter() - wall,
        "peak MB": peak(),
        "rows": len(dataset.train),
    }


def small(hidden: int) -> Recipe:
    """The recipe of the steps."""
    return find_recipe("classify").changed(hidden=hidden, embedding=hidden)


def train(table: Path, store: Path, texts: int, hidden: int, steps: int) -> dict[str, float]:
    """Opens a store and takes steps on it."""
    before = time.process_time()
    dataset = packed_dataset(table, options(store, texts), "label")
    task = tasks.get("classify").fit(dataset, options(store, texts))
    opened = time.process_time() - before
    torch.set_num_threads(1)
    recipe = small(hidden)
    model = task.model(recipe.model)
    optimizer = Adam(model.parameters())
    examples = task.encode(dataset.train)
    fetching = computing = 0.0
    order = task.order(examples, TrainingOptions(), 1)
    for step in range(steps):
        start = time.process_time()
        batch = examples.batch(order[step % len(order)])
        fetched = time.process_time()
        optimizer.forget_gradients()
        task.loss(model, batch).mean().backward()
        optimizer.step(1e-3)
        fetching, computing = fetching + fetched - start, computing + time.process_time() - fetched
    return {
        "opening and fitting, CPU s": opened,
        "fetch, us": 1e6 * fetching / steps,
        "step, ms": 1e3 * (fetching + computing) / steps,
        "fetch share, %": 100 * fetching / (fetching + computing),
        "peak MB": peak(),
    }


def main() -> None:
    """Measures each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--texts", type=int, default=0, help="words of each text; 0: rows of numbers")
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--do", choices=("all", "pack", "train"), default="all")
    given = parser.parse_args()
    for rows in given.rows:
        table, store = given.out / f"table-{rows}", given.out / f"store-{rows}"
        if given.do == "pack":
            print(json.dumps(pack(table, store, given.texts)))
            continue
        if given.do == "train":
            print(json.dumps(train(table, store, given.texts, given.hidden, given.steps)))
            continue
        write_table(table, rows, given.columns, given.texts)
        print(f"{rows:,} rows, {sum(f.stat().st_size for f in table.iterdir()) / 1e6:,.0f} MB of Parquet")
        for what in ("pack", "train"):
            arguments = [f"--{name}={getattr(given, name)}" for name in ("out", "columns", "texts", "hidden", "steps")]
            command = [sys.executable, __file__, *arguments, "--rows", str(rows), "--do", what]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
            if done.returncode:
                sys.exit(done.stderr)
            figures = json.loads(done.stdout.splitlines()[-1])
            print(f"  {what}: " + ", ".join(f"{name} {value:,.1f}" for name, value in figures.items()), flush=True)
            if what == "pack":
                print(f"  {rows / figures['packing, CPU s']:,.0f} rows a second of one core")
        shutil.rmtree(table)
        shutil.rmtree(store)


if __name__ == "__main__":
    main()
