"""How training scales over processes: a text classifier, one thread each, 1 process against several.

python benchmarks/ranks.py [--processes 2] [--rounds 3] [--steps 40] [--shards 2]

Strong scaling: the same batch shared, the time of one process over the time of all together. Weak scaling: a batch as
many times as large. Every round measures each case anew, in a process of its own, and the medians are compared: let
nothing else run. "Plain" is one process without shards, "shards" one with as many as the processes have. "Apart" are as
many processes of "plain" at once that know nothing of each other: what the machine itself, whose cores share caches and
memory, lets more than one have.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import torch

from gatework import tasks
from gatework.data.dataset import Dataset, Split
from gatework.data.text import Texts
from gatework.recipe import find_recipe
from gatework.training import runtime
from gatework.training.optimizer import Adam
from gatework.training.ranks import here
from gatework.training.rows import learn_by_rows
from gatework.training.shards import ShardedGradient

WORDS, STEPS, WIDTH, TEXTS = 20_000, 200, 128, 1024


def texts(count: int, seed: int) -> Split:
    """Texts of 200 words, as frequent as those of a language are."""
    random = np.random.default_rng(seed)
    weights = 1 / np.arange(1, WORDS + 1)
    drawn = random.choice(WORDS, (count, STEPS), p=weights / weights.sum())
    every = np.arange(WORDS).reshape(-1, STEPS)  # the vocabulary is whole
    rows = np.concatenate([every, drawn]) if seed == 0 else drawn
    words = np.array([f"w{k}" for k in range(WORDS)])
    return Split(Texts.of(" ".join(row) for row in words[rows]), random.integers(0, 2, len(rows)))


def measure(batch: int, shards: int, steps: int) -> float:
    """The median time of a training step, in ms, in the processes that this one is one of."""
    ranks = here()
    runtime.prepare(1)
    dataset = Dataset.of("texts", texts(TEXTS, 0), texts(8, 1), texts(8, 2), ("no", "yes"))
    recipe = find_recipe("classify").changed(hidden=WIDTH, embedding=WIDTH, vocabulary=WORDS, max_tokens=STEPS)
    task = tasks.get("classify").fit(dataset, recipe.data)
    examples = task.encode(dataset.train)
    torch.manual_seed(0)
    model = task.model(recipe.model).train()
    optimizer = Adam(model.parameters(), tables=learn_by_rows(model))
    sharded = ShardedGradient(shards, 0, optimizer, ranks) if shards else None
    times = []
    for step in range(steps + 5):
        index = np.random.default_rng(step).integers(0, len(examples), batch)
        start = time.perf_counter()
        optimizer.forget_gradients()
        if sharded is None:
            task.loss(model, examples.batch(index)).mean().backward()
        else:
            sharded(index, step, 0.0, lambda _, part: task.loss(model, examples.batch(part)))
        optimizer.clip(1.0)
        optimizer.step(1e-3)
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times[5:])


def measured(processes: int, batch: int, shards: int, steps: int) -> float:
    """`measure()` in so many new processes that train together."""
    return _told(_started(processes, batch, shards, steps))


def apart(processes: int, batch: int, steps: int) -> float:
    """`measure()` in so many new processes at once that each train alone: the mean of their times."""
    started = [_started(1, batch, 0, steps) for _ in range(processes)]
    return statistics.mean(map(_told, started))


def _started(processes: int, batch: int, shards: int, steps: int) -> subprocess.Popen[str]:
    start = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)] if processes > 1 else []
    what = ["--one", str(batch), str(shards), str(steps)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
    command = [sys.executable, *start, __file__, *what]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def _told(process: subprocess.Popen[str]) -> float:
    """What a process that was started prints in the end."""
    said, complaint = process.communicate()
    if process.returncode:
        sys.exit(complaint)
    return float(json.loads(said.splitlines()[-1]))


def main() -> None:
    """Measures the cases in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--shards", type=int, default=0, help="as many as there are processes if 0")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--one", type=int, nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        milliseconds = measure(*given.one)
        if os.environ.get("RANK", "0") == "0":
            print(json.dumps(milliseconds))
        return
    count, batch, shards = given.processes, given.batch, given.shards or given.processes
    cases = {
        "plain": (1, batch, 0),
        "shards": (1, batch, shards),
        "strong": (count, batch, shards),
        "weak": (count, count * batch, shards),
    }
    times: dict[str, list[float]] = {name: [] for name in (*cases, "apart")}
    for _ in range(given.rounds):
        for name, case in cases.items():
            times[name].append(measured(*case, given.steps))
        times["apart"].append(apart(count, batch, given.steps))
    middle = {name: statistics.median(each) for name, each in times.items()}
    for name, each in times.items():
        print(f"{name:8} {middle[name]:8.2f} ms a step   (rounds: {', '.join(f'{t:.2f}' for t in each)})")
    for base in ("plain", "shards"):
        strong, weak = middle[base] / (count * middle["strong"]), middle[base] / middle["weak"]
        print(f"against {base}: strong scaling {strong:.2f}, weak scaling {weak:.2f}, of {count} processes")
    print(f"processes that know nothing of each other: {middle['plain'] / middle['apart']:.2f}")


if __name__ == "__main__":
    main()
