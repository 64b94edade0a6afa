"""Random cases, counted by how they end: what every program of `make fuzz` goes through them with."""

from __future__ import annotations

import contextlib
import io
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl


def go_through(name: str, run: Callable[[int, Path], str], cases: int, first: int) -> int:
    """Prints what each case failed with that ended in anything but a result or a sentence, and how many ended how.

    Args:
        name: What the cases are, such as "tables".
        run: Does the case of a seed in an empty folder, and says how it ended.
        cases: How many there are.
        first: The first one's seed.

    Returns:
        The exit code: 1 where one failed.
    """
    failed, ends = 0, Counter[str]()
    for seed in range(first, first + cases):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error", RuntimeWarning)
                    ends[run(seed, Path(folder))] += 1
            except (Exception, pl.exceptions.PanicException):
                failed += 1
                print(f"seed {seed}:\n{traceback.format_exc(limit=-5)}", flush=True)
    counts = "".join(f"{count} {end}, " for end, count in sorted(ends.items()))
    print(f"{cases} {name} from seed {first}: {counts}{failed} failed")
    return 1 if failed else 0
