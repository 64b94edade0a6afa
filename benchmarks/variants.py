"""What the variants of the LSTM, and what acts around a cell, cost: a training step in pairs with the plain LSTM's.

Processor time on one thread, so that other work on the machine matters little.

python benchmarks/variants.py --pairs 9
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

import gatework
from gatework.nn import ScanOptions

BATCH, STEPS, INPUT, HIDDEN = 32, 200, 128, 128
CELLS = ("peephole", "coupled", "indrnn", "minimal", "slstm")
OPTIONS = {
    "weight drop": ScanOptions(weight_drop=0.5),
    "clip": ScanOptions(clip=3.0),
    "recurrent dropout": ScanOptions(recurrent_dropout=0.2),
    "zoneout": ScanOptions(zoneout=0.1),
    "layer norm": ScanOptions(layer_norm=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=9, help="pairs of training steps for each row")
    pairs = parser.parse_args().pairs
    torch.set_num_threads(1)
    plain = step_of("lstm")
    rows = {cell: step_of(cell) for cell in CELLS}
    rows |= {name: step_of("lstm", options) for name, options in OPTIONS.items()}
    rows["reset"] = step_of("lstm", reset=torch.rand(STEPS, BATCH) < 0.02)
    for name, step in rows.items():
        plain(), step()
        ratios = [step() / plain() for _ in range(pairs)]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(f"{name:22} {statistics.median(ratios):6.2f} x the LSTM's time ({spread})", flush=True)


def step_of(cell: str, options: ScanOptions | None = None, reset: torch.Tensor | None = None) -> Callable[[], float]:
    """A training step that gives its seconds of processor time."""
    torch.manual_seed(0)
    layer = gatework.nn.recurrent(cell, INPUT, HIDDEN, options=options)
    x = torch.randn(STEPS, BATCH, INPUT, requires_grad=True)

    def step() -> float:
        start = time.process_time()
        output, _ = layer(x, reset=reset)
        output.backward(torch.ones_like(output))
        return time.process_time() - start

    return step


if __name__ == "__main__":
    main()
