"""How training scales over processes: a text classifier, one thread each, 1 process against several.

python benchmarks/ranks.py [--processes 2] [--rounds 15] [--steps 9] [--shards 2]

Strong scaling: the same batch shared, the time of one process over the time of all together. Weak scaling: a batch as
many times as large. The processes are started once and take every case in turn, as often as there are rounds, and the
medians of the rounds are compared: let nothing else run. Turns are short, so that a core that is slow for some seconds
is so in every case. "Plain" is one process without shards, "shards" one with as many as the processes have, while the
others wait. "Apart" are all of them at once as "plain", each by itself: what the machine, whose cores share caches and
memory, lets more than one have. "Slowest" is the time of the slowest of these in each of their steps: processes that
add gradients up wait for it. "Busy" is the processor time of a step, which waits for nobody.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import torch

from gatework import tasks
from gatework.data.dataset import Dataset, Examples, Split
from gatework.data.text import Texts
from gatework.recipe import find_recipe
from gatework.tasks import Task
from gatework.training import runtime
from gatework.training.optimizer import Adam
from gatework.training.ranks import Alone, here
from gatework.training.rows import learn_by_rows
from gatework.training.shards import ShardedGradient

WORDS, STEPS, WIDTH, TEXTS = 20_000, 200, 128, 1024
RECIPE = find_recipe("classify").changed(hidden=WIDTH, embedding=WIDTH, vocabulary=WORDS, max_tokens=STEPS)


def texts(count: int, seed: int) -> Split:
    """Texts of 200 words, as frequent as those of a language are."""
    random = np.random.default_rng(seed)
    weights = 1 / np.arange(1, WORDS + 1)
    drawn = random.choice(WORDS, (count, STEPS), p=weights / weights.sum())
    every = np.arange(WORDS).reshape(-1, STEPS)  # the vocabulary is whole
    rows = np.concatenate([every, drawn]) if seed == 0 else drawn
    words = np.array([f"w{k}" for k in range(WORDS)])
    return Split(Texts.of(" ".join(row) for row in words[rows]), random.integers(0, 2, len(rows)))


class Training:
    """A training of the network from its beginning.

    Args:
        task: The task, fitted.
        examples: What is learnt from.
        ranks: The processes that train together.
        batch: The examples of a batch.
        shards: Its shards; 0 if it is one.
    """

    def __init__(self, task: Task, examples: Examples, ranks: Alone, batch: int, shards: int) -> None:
        torch.manual_seed(0)
        self.task, self.examples, self.batch = task, examples, batch
        self.model = task.model(RECIPE.model).train()
        self.optimizer = Adam(self.model.parameters(), tables=learn_by_rows(self.model))
        self.sharded = ShardedGradient(shards, 0, self.optimizer, ranks) if shards else None
        self.steps = 0

    def milliseconds(self, steps: int) -> np.ndarray:
        """The time of each of so many steps, after three that warm up, and its processor time, shape (steps, 2)."""
        return 1e3 * np.array([self._seconds() for _ in range(steps + 3)][3:])

    def _seconds(self) -> tuple[float, float]:
        index = np.random.default_rng(self.steps).integers(0, len(self.examples), self.batch)
        start, busy = time.perf_counter(), time.process_time()
        self.optimizer.forget_gradients()
        if self.sharded is None:
            self.task.loss(self.model, self.examples.batch(index)).mean().backward()
        else:
            self.sharded(index, self.steps, 0.0, lambda _, part: self.task.loss(self.model, self.examples.batch(part)))
        self.optimizer.clip(1.0)
        self.optimizer.step(1e-3)
        self.steps += 1
        return time.perf_counter() - start, time.process_time() - busy


def measure(given: argparse.Namespace) -> None:
    """Takes the cases in turn, in the processes that this one is one of, the first of which prints the figures."""
    ranks, alone = here(), Alone()
    runtime.prepare(1)
    dataset = Dataset.of("texts", texts(TEXTS, 0), texts(8, 1), texts(8, 2), ("no", "yes"))
    task = tasks.get("classify").fit(dataset, RECIPE.data)
    examples = task.encode(dataset.train)
    count, batch, shards = ranks.count, given.batch, given.shards or ranks.count
    cases = {
        "plain": Training(task, examples, alone, batch, 0),
        "shards": Training(task, examples, alone, batch, shards),
        "strong": Training(task, examples, ranks, batch, shards),
        "weak": Training(task, examples, ranks, count * batch, shards),
        "apart": Training(task, examples, alone, batch, 0),
    }
    times: dict[str, list[float]] = {name: [] for name in (*cases, "slowest")}
    busy: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(1, given.rounds + 1):
        for name, training in cases.items():
            is_mine = ranks.is_main or name not in ("plain", "shards")
            told = ranks.gathered({ranks.rank: training.milliseconds(given.steps)} if is_mine else {})
            taken = np.stack(list(told.values()))  # shape (processes, steps, 2)
            for kept, place in ((times, 0), (busy, 1)):
                kept[name].append(float(np.median(taken[..., place], axis=1).mean()))
            if name == "apart":
                times["slowest"].append(float(np.median(taken[..., 0].max(axis=0))))
        if ranks.is_main:
            line = ", ".join(f"{name} {each[-1]:.2f}" for name, each in times.items())
            print(f"round {number} of {given.rounds}: {line} ms a step", flush=True)
    if ranks.is_main:
        _print(times, busy, count)


def _print(times: dict[str, list[float]], busy: dict[str, list[float]], count: int) -> None:
    for title, kept in (("ms a step", times), ("ms a step, busy", busy)):
        middle = {name: statistics.median(each) for name, each in kept.items()}
        for name, each in kept.items():
            print(f"{name:8} {middle[name]:8.2f} {title}   (rounds: {', '.join(f'{t:.2f}' for t in each)})")
        for base in ("plain", "shards"):
            strong, weak = middle[base] / (count * middle["strong"]), middle[base] / middle["weak"]
            print(f"against {base}: strong scaling {strong:.2f}, weak scaling {weak:.2f}, of {count} processes")
        print(f"processes that know nothing of each other: {middle['plain'] / middle['apart']:.2f}")
    alone, slowest = (statistics.median(times[name]) for name in ("plain", "slowest"))
    print(f"processes that wait for the slowest of them and else know nothing of each other: {alone / slowest:.2f}")


def main() -> None:
    """Starts the processes, or is one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=9)
    parser.add_argument("--shards", type=int, default=0, help="as many as there are processes if 0")
    parser.add_argument("--batch", type=int, default=32)
    given = parser.parse_args()
    if "RANK" in os.environ:
        with runtime.keeping_memory():  # as a training does
            measure(given)
        return
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(given.processes)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
    sys.exit(subprocess.run([sys.executable, *start, __file__, *sys.argv[1:]], env=environment, check=False).returncode)


if __name__ == "__main__":
    main()
