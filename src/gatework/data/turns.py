"""One process at a time writes a file or a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock


@contextlib.contextmanager
def in_turn(path: Path) -> Iterator[None]:
    """Waits until no other process writes this path; the lock's file beside it is gone again afterwards.

    It is removed while it is held: a process that waited for a lock without a name asks for a new one (filelock 3.21).
    """
    lock = path.with_name(f".{path.name}.lock")
    with FileLock(lock):
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # Windows removes no open file; there its release does
                lock.unlink()
