"""What polars says by itself of a damaged file, kept back where a sentence says it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def panics_kept_back() -> Iterator[None]:
    """Keeps back what polars' compiled side prints on standard error before it raises that it has panicked.

    It prints past Python, so the file descriptor itself is turned elsewhere for the length of the block. What others
    write there meanwhile comes afterwards.
    """
    import polars as pl

    try:
        stderr = os.dup(2)
    except OSError:  # a process without one
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        has_panicked = False
        try:
            yield
        except pl.exceptions.PanicException:
            has_panicked = True
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            if not has_panicked and (text := held.read()):
                os.write(2, text)
