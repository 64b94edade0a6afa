"""Runs a part of a test in a thread of its own.

The browser's driver keeps an event loop, and stacks of its own, in the thread of the tests for as long as any test of
the process may need it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Value = TypeVar("Value")


def apart(function: Callable[[], Value]) -> Value:
    """What the function gives."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()
