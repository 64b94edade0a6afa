"""The cores that this process may use, and threads that do not wait busily; known before torch is imported."""

from __future__ import annotations

import os

from gatework.errors import UsageError

_MOST = 256


def usable_cores() -> int:
    """The cores that this process may compute on: those of its affinity, and no more than `OMP_NUM_THREADS`."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return min(cores, int(asked)) if asked.isdigit() and int(asked) > 0 else cores


def wait_passively() -> None:
    """Lets the threads of OpenMP sleep while they wait; to be called before torch is imported.

    By default a thread that waits spins for milliseconds. Where another process needs its core, the two then wait for
    each other, and a step of 8 ms takes over 100. Whoever has set a policy or a spin count keeps it.
    """
    if not os.environ.get("GOMP_SPINCOUNT"):
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def checked_count(count: int, name: str) -> int:
    """A number of threads or processes, if it is one.

    Raises:
        UsageError: It is less than 1, or more than any machine would gain from.
    """
    most = max(_MOST, os.cpu_count() or 1)
    if not 1 <= count <= most:
        raise UsageError(
            f"{name} is {count}, expected at least 1 and at most {most}; leave it out to use what pays off "
            f"(this process may use {usable_cores()} core{'s' if usable_cores() > 1 else ''})"
        )
    return count
