"""Folders that are not as gatework writes them: cut, edited, of another version, or sent by somebody."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec

from gatework.errors import GateworkError, RunError

P = ParamSpec("P")
_LONGEST = 120


def refusing_damage(
    write: Callable[Concatenate[str | os.PathLike[str], P], Path],
) -> Callable[Concatenate[str | os.PathLike[str], P], Path]:
    """Lets what reads a folder and nothing else say in one sentence that a value there is not what it should be.

    Each file is checked where it is read, but not every value within it; what goes wrong with one has the folder as its
    cause. `GATEWORK_DEBUG=1` shows where.

    Args:
        write: Writes the page of a folder.
    """

    @wraps(write)
    def call(folder: str | os.PathLike[str], *arguments: P.args, **named: P.kwargs) -> Path:
        try:
            return write(folder, *arguments, **named)
        except (GateworkError, OSError, MemoryError):
            raise
        except Exception as error:
            what = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]
            raise RunError(
                f"{folder} holds a value that gatework did not write there ({what}); restore it or make the folder anew"
            ) from error

    return call
