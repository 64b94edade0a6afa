"""A learner's own copy of the lessons: made fresh, kept once edited, opened in JupyterLab."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from gatework._files import make_folder, write_json, write_text
from gatework.course.extra import COURSE, need
from gatework.course.lessons import lessons
from gatework.course.notebooks import build
from gatework.errors import RunError, UsageError

_RECORD = ".gatework-course.json"


@dataclass(frozen=True)
class Copied:
    """What copying the lessons did.

    Attributes:
        folder: Where they are.
        written: The files that are new, or that are newer than an unedited copy was.
        kept: The files that were left as they are, because somebody edited or ran them.
    """

    folder: Path
    written: tuple[Path, ...]
    kept: tuple[Path, ...]


def copy_lessons(folder: Path) -> Copied:
    """Writes every lesson as a notebook, and leaves alone what a learner has changed.

    A file counts as changed unless it is, byte for byte, what an earlier call wrote.

    Args:
        folder: Where to; made if it is not there.

    Raises:
        RunError: The folder is a file.
        UsageError: What builds notebooks is not installed.
    """
    need(*COURSE)
    import nbformat

    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; name a folder for the lessons")
    make_folder(folder)
    record = _read_record(folder / _RECORD)
    written, kept = [], []
    for lesson in lessons():
        file = folder / f"{lesson.name}.ipynb"
        content = nbformat.writes(build(lesson)) + "\n"
        if file.exists() and (file.is_dir() or _digest(file.read_bytes()) != record.get(file.name)):
            kept.append(file)
            continue
        write_text(file, content)
        record[file.name] = _digest(content.encode("utf-8"))
        written.append(file)
    write_json(folder / _RECORD, record)
    return Copied(folder, tuple(written), tuple(kept))


def _read_record(file: Path) -> dict[str, str]:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # no record: whatever is there counts as a learner's own
    return record if isinstance(record, dict) else {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def jupyterlab_command(folder: Path, *, opens_browser: bool = True, allows_root: bool = False) -> list[str]:
    """The command that runs JupyterLab on a folder, in this Python.

    Args:
        folder: Where the lessons are.
        opens_browser: Whether JupyterLab opens a browser window.
        allows_root: Whether it may run as root, which it refuses unless told.

    Raises:
        UsageError: JupyterLab is not installed, or this is root and that was not allowed.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise UsageError(
            f"the lessons are in {folder}, and JupyterLab, which opens them, is not installed; install it with: "
            'pip install "gatework[course]"'
        )
    if not allows_root and os.name == "posix" and os.geteuid() == 0:
        raise UsageError(
            f"the lessons are in {folder}, and JupyterLab does not run as root unless it is told to; "
            "run gatework learn as another user, or in a container of your own with --allow-root"
        )
    options = ([] if opens_browser else ["--no-browser"]) + (["--allow-root"] if allows_root else [])
    return [sys.executable, "-m", "jupyterlab", str(folder), *options]
