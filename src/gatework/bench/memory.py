"""The peak memory of a training step, each in a process of its own."""

from __future__ import annotations

import resource
import subprocess
import sys

from gatework.bench import shapes


def peak_of_step(shape: shapes.Shape, cell: str, *, is_ours: bool) -> int:
    """The bytes by which training steps raise the peak memory of a fresh process."""
    call = f"from gatework.bench import memory; memory.measure({shape.name!r}, {cell!r}, {is_ours})"
    result = subprocess.run([sys.executable, "-c", call], check=True, capture_output=True, text=True)
    return int(result.stdout)


def _peak() -> int:
    """The most bytes that this process has had in memory."""
    try:
        with open("/proc/self/status", encoding="utf-8") as file:
            # Of this program alone; what getrusage tells begins with the memory of the process that started it.
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) * 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(name: str, cell: str, is_ours: bool) -> None:
    """Run training steps in this process and print by how many bytes its peak memory grew."""
    import torch

    (shape,) = shapes.choose([name])
    pair = shapes.layers_of(shape, cell)
    small = shapes.Shape("small", 1, 2, shape.input, shape.hidden, shape.layers)
    for layer, ours in zip(pair, (True, False), strict=True):
        shapes.training_step(small, layer, ours)()
    torch.manual_seed(0)
    before = _peak()
    step = shapes.training_step(shape, pair[0 if is_ours else 1], is_ours)
    for _ in range(2):
        step()
    print(_peak() - before)
