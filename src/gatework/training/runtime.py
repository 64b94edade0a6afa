"""The process that computes: its threads, its floating-point mode, and the record of what it is."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from typing import Any

import torch

from gatework.errors import UsageError
from gatework.options import TrainingOptions

# Enough elements that torch's thread pool takes part in an element-wise operation on every thread.
_EVERY_THREAD = 1 << 20
# glibc's settings (mallopt(3)): free bytes at the end of its memory above which it returns them to the system, and the
# bytes of a block above which the system gives it a block apart. First those that keep what a step frees, then those
# that glibc comes to by itself once large blocks were freed.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT = {_TRIM_THRESHOLD: 1 << 30, _MMAP_THRESHOLD: 256 << 20}
_USUAL = {_TRIM_THRESHOLD: 64 << 20, _MMAP_THRESHOLD: 32 << 20}


def prepare(threads: int | None = None) -> None:
    """Sets the number of threads and switches flush-to-zero on in every thread that computes.

    A gradient that vanishes over hundreds of steps ends in subnormal numbers, on which a processor is up to a hundred
    times slower. A thread inherits the mode of the one that starts it; where torch's threads exist already, each of
    them is told.

    Args:
        threads: Threads for torch; as it is if None.
    """
    if threads is not None and threads != torch.get_num_threads():
        torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    if not flushes_everywhere():
        _tell_every_thread(True)


@contextlib.contextmanager
def computing(threads: int) -> Iterator[None]:
    """`prepare()` for the length of a block; afterwards the caller's threads and floating-point mode are as before."""
    count, was_flushing = torch.get_num_threads(), not float(_subnormals(1))
    prepare(threads)
    try:
        yield
    finally:
        if not was_flushing:
            torch.set_flush_denormal(False)
            _tell_every_thread(False)
        torch.set_num_threads(count)


@contextlib.contextmanager
def keeping_memory() -> Iterator[None]:
    """Keeps the memory that is freed in a block, up to 1 GB, for the next step of a training; gives it back at the end.

    Steps of different lengths free and take blocks of many megabytes. Returned to the system, these come back page by
    page, each cleared anew, which takes a tenth of a step and more. Where malloc is not glibc's this does nothing.
    """
    malloc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if malloc is None or not (hasattr(malloc, "mallopt") and hasattr(malloc, "malloc_trim")):
        yield
        return
    for name, size in _KEPT.items():
        malloc.mallopt(name, size)
    try:
        yield
    finally:
        for name, size in _USUAL.items():
            malloc.mallopt(name, size)
        malloc.malloc_trim(0)


def device(config: TrainingOptions, processes: int = 1) -> torch.device:
    """Where training steps are computed.

    Args:
        config: What says so.
        processes: The processes that train together.

    Raises:
        UsageError: There is no such device, or several processes would share it.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            "training.device is cuda, and torch finds no GPU that it can use; install torch for the GPU of this "
            'machine, or take cpu (--device cpu, or device = "cpu" in the recipe.toml of a run that is resumed)'
        )
    if config.device == "cuda" and processes > 1:
        raise UsageError(f"training.device is cuda, and {processes} processes would share it; start one, or take cpu")
    return torch.device(config.device)


def _subnormals(count: int) -> torch.Tensor:
    """As many subnormal numbers, made by this process; zeros where they are flushed."""
    return torch.full((count,), torch.finfo(torch.float32).tiny) * 0.5


def _tell_every_thread(is_flushing: bool) -> None:
    """Runs `torch.set_flush_denormal()` in each thread of the OpenMP pool that torch computes with."""
    for library in _openmp_libraries():
        parallel = getattr(ctypes.CDLL(library), "GOMP_parallel", None)
        if parallel is None:
            continue
        callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: torch.set_flush_denormal(is_flushing) and None)
        parallel.argtypes = [type(callback), ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
        parallel.restype = None
        parallel(callback, None, torch.get_num_threads(), 0)


def _openmp_libraries() -> set[str]:
    """The GNU OpenMP libraries in this process, as Linux tells; none elsewhere."""
    try:
        with open("/proc/self/maps", encoding="utf-8") as file:
            paths = {line.split(maxsplit=5)[-1].strip() for line in file}
    except OSError:
        return set()
    return {path for path in paths if os.path.basename(path).startswith("libgomp")}


def flushes_everywhere() -> bool:
    """Whether every thread of torch's pool flushes subnormal numbers to zero, found out by making some."""
    return not bool(_subnormals(_EVERY_THREAD).any())


def environment(seed: int, fingerprint: str, threads: int, device: str = "cpu") -> dict[str, Any]:
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
            **({"gpu": torch.cuda.get_device_name()} if device == "cuda" else {}),
        },
        "threads": threads,
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
