"""Layers in bfloat16: a training step in pairs with torch.nn's in bfloat16 and in float32, and with ours in float32.

python benchmarks/bfloat16.py --pairs 9

On two threads as `benchmarks/layers.py`. With `--threads 1` it is processor time that is compared, so that other work
on the machine matters little.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch

from gatework.bench import shapes
from gatework.bench.clock import flushing
from gatework.scan import kernels

HALF, SINGLE = torch.bfloat16, torch.float32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=9, help="pairs of training steps for each figure")
    parser.add_argument("--shapes", default="imdb,embedded,large", help="names separated by commas")
    parser.add_argument("--cells", default=",".join(shapes.CELLS), help="names separated by commas")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(json.dumps({"torch": torch.__version__, "instruction set": kernels.active_isa(), "threads": options.threads}))
    with flushing(True):
        for shape in shapes.choose(options.shapes.split(",")):
            for cell in options.cells.split(","):
                row(shape, cell, options.pairs)


def row(shape: shapes.Shape, cell: str, pairs: int) -> None:
    """Print the figures of one cell in one shape."""
    ours = step_of(shape, cell, HALF, is_ours=True)
    others = {
        "torch in bfloat16": step_of(shape, cell, HALF, is_ours=False),
        "torch in float32": step_of(shape, cell, SINGLE, is_ours=False),
        "gatework in float32": step_of(shape, cell, SINGLE, is_ours=True),
    }
    for warm in (ours, *others.values()):
        warm()
    for name, other in others.items():
        times = [(ours(), other()) for _ in range(pairs)]
        low, middle, high = statistics.quantiles([b / a for a, b in times], n=4, method="inclusive")
        own = statistics.median(a for a, _ in times) * 1e3
        print(f"{shape.name:9} {cell:5} {own:8.1f} ms   {name:20} {middle:6.2f} x [{low:.2f}, {high:.2f}]", flush=True)


def step_of(shape: shapes.Shape, cell: str, dtype: torch.dtype, *, is_ours: bool) -> Callable[[], float]:
    """A function that makes one training step and returns its seconds, on one thread those of the processor."""
    layer = shapes.layers_of(shape, cell)[0 if is_ours else 1].to(dtype)
    step = shapes.training_step(shape, layer, is_ours)

    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter

    def run() -> float:
        start = clock()
        step()
        return clock() - start

    return run


if __name__ == "__main__":
    main()
