"""What is needed next is read by a thread beside the training step that needs what was read before."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np

T = TypeVar("T")


class ReadAhead(Generic[T]):
    """Reads examples one call before they are asked for.

    Both the disk and numpy leave the training step to go on meanwhile. What is read depends on the examples alone, so
    nothing is different for it.

    Args:
        read: Reads the examples at some positions, shape (examples,); it is called by one thread at a time or by two.
    """

    def __init__(self, read: Callable[[np.ndarray], T]) -> None:
        self._read = read
        self._coming: tuple[np.ndarray, Future[T]] | None = None

    @cached_property
    def _thread(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, thread_name_prefix="gatework-store")

    def __call__(self, index: np.ndarray, following: np.ndarray) -> T:
        """What stands at these positions; those which follow are read from now on."""
        coming, self._coming = self._coming, None
        is_coming = coming is not None and np.array_equal(coming[0], index)
        read = coming[1].result() if coming is not None and is_coming else self._read(index)
        if len(following):
            self._coming = following, self._thread.submit(self._read, following)
        return read
