"""Trainings on a machine that is also doing something else, as ratios to the same training alone.

    python benchmarks/busy.py [--pairs 3]

Each case takes turns with the training alone, so that a slow minute of the machine slows both. A training is a process
of the command line of its own, on every core; "beside a spinning process" has one process per core that only counts. A
fair share of the cores is a ratio of 2 beside spinning processes, and for two trainings at once on two cores 1 if each
takes one thread. "torch's layers" is a loop over `torch.nn.LSTM` as it comes, with its own threads.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

GATEWORK = [sys.executable, "-c", "from gatework.cli import main; main()"]
SPIN = [sys.executable, "-c", "while True: pass"]
TORCH = """
import torch
torch.manual_seed(0)
lstm, head = torch.nn.LSTM({inputs}, {hidden}, {layers}), torch.nn.Linear({hidden}, 1)
optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()])
x, y = torch.randn({steps}, 32, {inputs}), torch.randn(32, 1)
for _ in range({count}):
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(head(lstm(x)[0][-1]), y).backward()
    optimizer.step()
"""


def commands(folder: Path) -> dict[str, Callable[[], list[str]]]:
    """What is timed: a small network, one whose steps are worth two threads, and torch's own layers of both sizes."""
    numbers = iter(range(10_000))

    def train(*words: str) -> Callable[[], list[str]]:
        return lambda: [*GATEWORK, "train", *words, "--out", str(folder / f"run{next(numbers)}"), "-q", "--json"]

    def torch(**sizes: int) -> Callable[[], list[str]]:
        return lambda: [sys.executable, "-c", TORCH.format(**sizes)]

    return {
        "waves, 2 x 20 units": train("regress", "waves", "--epochs", "4"),
        "waves, 160 units": train("regress", "waves", "--epochs", "1", "--hidden", "160", "--layers", "1"),
        "torch's layers, 2 x 20 units": torch(inputs=1, hidden=20, layers=2, steps=99, count=900),
        "torch's layers, 160 units": torch(inputs=1, hidden=160, layers=1, steps=99, count=220),
    }


def seconds(started: Sequence[list[str]]) -> float:
    """How long processes take that start together, until the last has ended."""
    begin = time.perf_counter()
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in started]
    for process in processes:
        if process.wait():
            raise SystemExit(f"failed: {' '.join(process.args)}")
    return time.perf_counter() - begin


def beside_spinning(command: list[str]) -> float:
    """How long a process takes beside one per core that only counts."""
    spinning = [subprocess.Popen(SPIN) for _ in range(os.cpu_count() or 1)]
    try:
        return seconds([command])
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=3, help="how often each case is timed")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    options = parser.parse_args()
    print(f"{'':30}  {'alone':>7}  {'two at once':>11}  {'beside spinning':>15}")
    with tempfile.TemporaryDirectory() as folder:
        for name, command in commands(Path(folder)).items():
            if options.only not in name:
                continue
            alone, two, busy = [], [], []
            for _ in range(options.pairs):
                alone.append(seconds([command()]))
                two.append(seconds([command(), command()]) / alone[-1])
                busy.append(beside_spinning(command()) / alone[-1])
            ratios = f"{statistics.median(two):9.2f} x  {statistics.median(busy):13.2f} x"
            print(f"{name:30}  {statistics.median(alone):5.1f} s  {ratios}", flush=True)


if __name__ == "__main__":
    main()
