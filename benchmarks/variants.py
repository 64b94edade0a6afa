"""What the variants of the LSTM, and what acts around a cell, cost: a training step in pairs with the plain LSTM's, and
with the same cell in a Python loop of torch operations; and a single step of a stream.

Processor time on one thread, so that other work on the machine matters little.

python benchmarks/variants.py --pairs 9
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from unittest import mock

import torch

import gatework
from gatework.nn import ScanOptions

# Batch, steps, inputs and units: the course of one layer, and a small one.
SHAPES = {"large": (32, 200, 128, 128), "small": (32, 100, 1, 20)}
CELLS = ("lstm", "peephole", "coupled", "indrnn", "minimal", "slstm")
OPTIONS = {
    "weight drop": ScanOptions(weight_drop=0.5),
    "clip": ScanOptions(clip=3.0),
    "recurrent dropout": ScanOptions(recurrent_dropout=0.2),
    "zoneout": ScanOptions(zoneout=0.1),
    "layer norm": ScanOptions(layer_norm=True),
}
Step = Callable[[], float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=9, help="pairs of training steps for each row")
    pairs = parser.parse_args().pairs
    torch.set_num_threads(1)
    for name, sizes in SHAPES.items():
        print(f"{name}: batch {sizes[0]}, {sizes[1]} steps, {sizes[2]} inputs, {sizes[3]} units")
        table(sizes, pairs)
    print("a step of a stream: batch 1, 128 inputs, 128 units, microseconds")
    streams()


def streams(count: int = 1000) -> None:
    """Print what a step takes on the kernels and by the reference, medians of `count`, by turns of 100."""
    x = torch.randn(1, 128)
    for name, options in {"plain": None, **OPTIONS}.items():
        layer = gatework.nn.LSTM(128, 128, options=options).eval()
        times: dict[bool, list[float]] = {True: [], False: []}
        for k in range(count // 50):
            is_native = k % 2 == 0
            slow = nullcontext() if is_native else mock.patch("gatework.nn._direct.step", return_value=None)
            with torch.inference_mode(), slow:
                times[is_native] += steps_of(layer, x)
        own, loop = (statistics.median(times[is_native]) * 1e6 for is_native in (True, False))
        print(f"  {name:18} {own:5.1f}   torch's operations {loop:6.1f}", flush=True)


def steps_of(layer: gatework.nn.LSTM, x: torch.Tensor) -> list[float]:
    """The seconds of 100 steps, each from the state of the one before."""
    state, found = None, []
    for _ in range(100):
        start = time.perf_counter()
        state = layer.step(x, state)[1]
        found.append(time.perf_counter() - start)
    return found


def table(sizes: tuple[int, int, int, int], pairs: int) -> None:
    """Print the rows of one shape."""
    steps, batch = sizes[1], sizes[0]
    plain = step_of("lstm", sizes)
    rows: dict[str, Callable[..., Step]] = {cell: partial(step_of, cell, sizes) for cell in CELLS}
    rows |= {name: partial(step_of, "lstm", sizes, options) for name, options in OPTIONS.items()}
    rows["reset"] = partial(step_of, "lstm", sizes, reset=torch.rand(steps, batch) < 0.02)
    for name, make in rows.items():
        step, loop = make(), make(is_loop=True)
        for warm in (plain, step, loop):
            warm()
        ratios = [step() / plain() for _ in range(pairs)]
        gains = [loop() / step() for _ in range(pairs)]
        print(f"  {name:18} {told(ratios)} x the LSTM's time   a Python loop takes {told(gains)} x as long", flush=True)


def told(ratios: list[float]) -> str:
    """The median and the spread."""
    return f"{statistics.median(ratios):6.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def step_of(
    cell: str,
    sizes: tuple[int, int, int, int],
    options: ScanOptions | None = None,
    reset: torch.Tensor | None = None,
    *,
    is_loop: bool = False,
) -> Step:
    """A training step that gives its seconds of processor time."""
    torch.manual_seed(0)
    batch, steps, inputs, hidden = sizes
    layer = gatework.nn.recurrent(cell, inputs, hidden, options=options)
    x = torch.randn(steps, batch, inputs, requires_grad=True)

    def step() -> float:
        start = time.process_time()
        output, _ = layer(x, reset=reset)
        output.backward(torch.ones_like(output))
        return time.process_time() - start

    def loop() -> float:
        with (
            mock.patch("gatework.nn._paths.choose", return_value="reference"),
            mock.patch("gatework.nn._direct.scan", return_value=None),
        ):
            return step()

    return loop if is_loop else step


if __name__ == "__main__":
    main()
