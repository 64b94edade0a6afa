"""Each lesson is run once for the whole suite, whichever worker asks first."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from gatework.course.notebooks import build, kernel


@pytest.fixture(scope="session")
def running():
    with kernel() as started:
        yield started


@pytest.fixture(scope="session")
def run_lesson(running, tmp_path_factory):
    """Gives a lesson's notebook, run with every claim of its text asserted."""
    # Here, as it takes seconds to import.
    import nbformat

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def run(lesson):
        file = Path(shared) / f"{lesson.name}.ipynb"
        with FileLock(f"{file}.lock"):
            if not file.exists():
                folder = Path(shared) / lesson.name
                folder.mkdir(exist_ok=True)
                nbformat.write(running.execute(build(lesson, is_checked=True), folder), file)
        return nbformat.read(file, as_version=4)

    return run
