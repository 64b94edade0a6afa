"""What is said to glibc's allocator from outside."""

from __future__ import annotations

import os

SETTINGS = ("GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")


def untold() -> dict[str, str]:
    """The environment without settings of the allocator, which a cluster of Dask leaves behind."""
    return {name: setting for name, setting in os.environ.items() if name not in SETTINGS}
