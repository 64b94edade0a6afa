"""A grid of trainings on a Dask cluster of this machine: two workers against one, and one of two killed on the way.

python benchmarks/cluster.py --out FOLDER [--seeds 3] [--epochs 3] [--examples 2000]

Each worker has one thread. Let nothing else run: with two cores, two workers take all of them. What the killed cluster
leaves is compared with what the whole one left, but for times.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from distributed import Client, LocalCluster

import gatework

CELLS = ("rnn", "gru", "lstm")
_TIMES = ("seconds", "ms_per_step")


def table(path: Path, examples: int) -> Path:
    """Texts of 50 words whose class is which of two words comes last."""
    made = np.random.default_rng(0)
    words = np.array([f"word{k}" for k in range(2000)])
    rows, labels = [], []
    for label in made.integers(0, 2, examples):
        text = made.choice(words, 50)
        text[made.integers(20, 50)] = ("bad", "good")[label]
        rows.append(" ".join(text))
        labels.append(("no", "yes")[label])
    pl.DataFrame({"text": rows, "label": labels}).write_csv(path)
    return path


def compared(data: Path, out: Path, workers: int, given: argparse.Namespace, *, is_killed: bool = False) -> float:
    """The seconds that a comparison takes on so many workers that are up and have the data's packages imported."""
    cluster = LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None)
    with cluster, Client(cluster) as client:
        processes = client.run(_ready)
        if is_killed:
            pid = sorted(processes.values())[0]
            threading.Timer(random.uniform(1.0, given.kill_within), os.kill, (pid, signal.SIGKILL)).start()
        start = time.perf_counter()
        gatework.compare(
            str(data), out=out, cells=CELLS, seeds=given.seeds, on=cluster.scheduler_address.replace("tcp", "dask"),
            text="text", label="label", epochs=given.epochs, hidden=64, embedding=64, blend=False,
        )  # fmt: skip
        return time.perf_counter() - start


def _ready() -> int:
    import gatework.evaluation
    import gatework.tasks.classify.task

    _ = gatework.evaluation, gatework.tasks
    return os.getpid()


def figures(out: Path) -> Any:
    """What a comparison says, but for times."""
    content = json.loads((out / "comparison.json").read_text())
    return [
        {name: value for name, value in entry.items() if not any(unit in name for unit in _TIMES)}
        for entry in content["entries"]
    ]


def main() -> None:
    """Measures one worker, two, and two of which one is killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument(
        "--kill-within", type=float, default=20.0, help="seconds, at a random one of which a worker dies"
    )
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    data = table(given.out / "texts.csv", given.examples)
    one, two = (compared(data, given.out / f"workers-{count}", count, given) for count in (1, 2))
    killed = compared(data, given.out / "killed", 2, given, is_killed=True)
    print(f"one worker {one:.1f} s, two {two:.1f} s: {two / one:.2f} of the time; one of two killed: {killed:.1f} s")
    same = figures(given.out / "killed") == figures(given.out / "workers-2") == figures(given.out / "workers-1")
    print("the same comparison, but for times" if same else "ANOTHER comparison")


if __name__ == "__main__":
    main()
