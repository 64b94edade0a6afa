"""How much freed memory a server that waits keeps."""

from __future__ import annotations

import ctypes
import os
import sys

# What malloc.h calls M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
_FRESH_FROM, _KEPT = -3, -1
_LIMIT = 4 << 20


def keep_little_memory() -> None:
    """Lets glibc keep up to 4 MB of freed memory for each thread, and gives back the rest.

    For training, gatework has it keep far more, so that a step need not take its memory anew. Batches of a server take
    as long either way, while the file that its weights came from and its largest batch would stay for good. Does
    nothing where the environment sets limits.
    """
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    if "glibc.malloc." in tunables or {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"} & set(os.environ):
        return
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):  # musl has none
        library.mallopt(_FRESH_FROM, _LIMIT)
        library.mallopt(_KEPT, _LIMIT)
        library.malloc_trim(0)
