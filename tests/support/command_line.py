"""The command line in tests: as a person runs it, and in two ways that spare the import of torch at each call."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatework.cli import main
from support import forked, patience
from support.forked import Forked

COMMAND = [sys.executable, "-c", forked.COMMAND]
Done = subprocess.CompletedProcess[str]


def run_process(*arguments: object, cwd: Path | None = None, stdin: str = "", columns: int = 120) -> Done:
    """The command as a person runs it."""
    command = [*COMMAND, *map(str, arguments)]
    environment = os.environ | {"COLUMNS": str(columns)}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
        timeout=patience.SECONDS,
        input=stdin,
        check=False,
    )


def run_forked(*arguments: object, cwd: Path | None = None, stdin: str = "") -> Done:
    """The command in a process of its own that knows nothing of this one, and has torch already."""
    process = Forked(*arguments, cwd=cwd, stdin=stdin, COLUMNS="120")
    said = process.communicate()
    return Done([*map(str, arguments)], process.wait(), *said)


def run_here(*arguments: object, cwd: Path | None = None, stdin: str = "") -> Done:
    """The same in this process."""
    words, out, err = [*map(str, arguments)], io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        if cwd:
            patch.chdir(cwd)
        patch.setenv("COLUMNS", "120")
        patch.setattr(sys, "argv", ["gatework", *words])
        patch.setattr(sys, "stdin", io.StringIO(stdin))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main()
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
    return Done(words, code, out.getvalue(), err.getvalue())


def gatework(*arguments: object) -> tuple[int, str, str]:
    """The exit code, the output and the error text of a command in this process."""
    done = run_here(*arguments)
    return done.returncode, done.stdout, done.stderr
