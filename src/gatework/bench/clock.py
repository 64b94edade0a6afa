"""The time that calls take, with subnormal numbers flushed to zero or not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch


def seconds_of(run: Callable[[], object], count: int = 1) -> float:
    """How long one call takes, as the mean of some in a row."""
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count


@contextmanager
def flushing(is_flushing: bool) -> Iterator[None]:
    """Tell torch to flush subnormal numbers to zero, or not to."""
    torch.set_flush_denormal(is_flushing)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
