"""The peak memory of a training step, each in a process of its own."""

from __future__ import annotations

import resource
import subprocess
import sys

from gatework.evaluation import timing


def peak_of_step(shape: timing.Shape, cell: str, *, is_ours: bool) -> int:
    """The bytes by which training steps raise the peak memory of a fresh process."""
    call = f"from gatework.evaluation import memory; memory.measure({shape.name!r}, {cell!r}, {is_ours})"
    result = subprocess.run([sys.executable, "-c", call], check=True, capture_output=True, text=True)
    return int(result.stdout)


def measure(name: str, cell: str, is_ours: bool) -> None:
    """Run training steps in this process and print by how many bytes its peak memory grew."""
    import torch

    (shape,) = timing.choose([name])
    pair = timing.layers_of(shape, cell)
    small = timing.Shape("small", 1, 2, shape.input, shape.hidden, shape.layers)
    for layer, ours in zip(pair, (True, False), strict=True):
        timing.training_step(small, layer, ours)()
    torch.manual_seed(0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step = timing.training_step(shape, pair[0 if is_ours else 1], is_ours)
    for _ in range(2):
        step()
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
