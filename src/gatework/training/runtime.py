"""The process that computes: its threads, its floating-point mode, and the record of what it is."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from typing import Any

import torch

# Enough elements that torch's thread pool takes part in an element-wise operation on every thread.
_EVERY_THREAD = 1 << 20


def prepare(threads: int | None = None) -> None:
    """Sets the number of threads and switches flush-to-zero on in every thread that computes.

    A gradient that vanishes over hundreds of steps ends in subnormal numbers, on which a processor is up to a hundred
    times slower. A thread inherits the mode of the one that starts it, so this must run before torch's pool exists;
    where the pool exists already, it is started anew by a change of its size.

    Args:
        threads: Threads for torch; as it is if None.
    """
    if threads is not None and threads != torch.get_num_threads():
        torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    if not flushes_everywhere():
        count = torch.get_num_threads()
        torch.set_num_threads(1)
        torch.set_num_threads(count)


def flushes_everywhere() -> bool:
    """Whether every thread of torch's pool flushes subnormal numbers to zero, found out by making some."""
    smallest = torch.full((_EVERY_THREAD,), torch.finfo(torch.float32).tiny)
    return not bool((smallest * 0.5).any())


def environment(seed: int, fingerprint: str) -> dict[str, Any]:
    """Versions, machine, threads, seed and data of a run, as values that JSON can hold."""
    versions = {"python": platform.python_version()}
    for package in ("gatework", "torch", "numpy", "polars", "scikit-learn"):
        versions[package] = importlib.metadata.version(package)
    return {
        "versions": versions,
        "machine": {
            "system": f"{platform.system()} {platform.release()}",
            "processor": _processor(),
            "cores": os.cpu_count() or 1,
            "capability": torch.backends.cpu.get_cpu_capability(),
        },
        "threads": torch.get_num_threads(),
        "seed": seed,
        "data": fingerprint,
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
        return names[0] if names else platform.processor()
    except OSError:
        return platform.processor() or platform.machine()
