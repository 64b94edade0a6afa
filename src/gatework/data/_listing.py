"""The files of a folder, without those that a system has put beside a person's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gatework.errors import DataError
from gatework.formatting import printable

_OF_SYSTEM = "__MACOSX"


def files_of(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder, sorted; none that is hidden or lies in a hidden folder.

    What a Mac keeps beside a file on other disks, `._a.wav`, and in archives, `__MACOSX`, is named as the file is.

    Args:
        folder: The folder.
        pattern: As for `Path.glob()`.

    Raises:
        DataError: A folder below it is gone meanwhile, or cannot be read.
    """
    try:
        return sorted(file for file in folder.glob(pattern) if _is_own(file, folder) and file.is_file())
    except OSError as error:
        reason = f"{printable(str(error.filename))}: {(error.strerror or str(error)).lower()}"
        raise DataError(f"{printable(str(folder))} cannot be listed ({reason}); name the folder of the files") from None


def files_below(folder: Path, ending: str) -> Iterator[Path]:
    """The files of a folder and of those below it whose names end so; a folder that cannot be read has none."""
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names if name.endswith(ending))


def _is_own(file: Path, folder: Path) -> bool:
    return not any(part.startswith(".") or part == _OF_SYSTEM for part in file.relative_to(folder).parts)
