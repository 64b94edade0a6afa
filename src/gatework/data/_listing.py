"""The files of a folder, without those that a system has put beside a person's own."""

from __future__ import annotations

from pathlib import Path

_OF_SYSTEM = "__MACOSX"


def files_of(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder, sorted; none that is hidden or lies in a hidden folder.

    What a Mac keeps beside a file on other disks, `._a.wav`, and in archives, `__MACOSX`, is named as the file is.

    Args:
        folder: The folder.
        pattern: As for `Path.glob()`.
    """
    return sorted(file for file in folder.glob(pattern) if _is_own(file, folder) and file.is_file())


def _is_own(file: Path, folder: Path) -> bool:
    return not any(part.startswith(".") or part == _OF_SYSTEM for part in file.relative_to(folder).parts)
