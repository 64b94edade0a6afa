"""The command line in tests: as a person runs it, and in two ways that spare the import of torch at each call."""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

from gatework.cli import main

COMMAND = [sys.executable, "-c", "from gatework.cli import main; main()"]
Done = subprocess.CompletedProcess[str]


def run_process(*arguments: object, cwd: Path | None = None, stdin: str = "", columns: int = 120) -> Done:
    """The command as a person runs it."""
    command = [*COMMAND, *map(str, arguments)]
    environment = os.environ | {"COLUMNS": str(columns)}
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=240, input=stdin, check=False
    )


# It imports what takes long and does nothing else; each command is a fork of it.
_FORKING = """
import gc, json, os, sys
import gatework.nn, rich.console
from gatework.cli import main
gc.freeze()
while line := sys.stdin.readline():
    words, folder, environment, files = json.loads(line)
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        for number, file in enumerate(files):
            os.dup2(os.open(file, os.O_WRONLY if number else os.O_RDONLY), number)
        sys.stdin, sys.stdout, sys.stderr = (open(k, "w" if k else "r", closefd=False) for k in range(3))
        sys.argv = ["gatework", *words]
        main()
        sys.exit()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@cache
def _forking() -> subprocess.Popen[str]:
    environment = {"OMP_WAIT_POLICY": "passive"} | os.environ
    process = subprocess.Popen(
        [sys.executable, "-c", _FORKING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    atexit.register(process.communicate)  # the end of its input ends it
    return process


def run_forked(*arguments: object, cwd: Path | None = None, stdin: str = "") -> Done:
    """The command in a process of its own that knows nothing of this one, and has torch already."""
    words, process = [*map(str, arguments)], _forking()
    assert process.stdin is not None
    assert process.stdout is not None
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("in", "out", "err")]
        for file, text in zip(files, (stdin, "", ""), strict=True):
            file.write_text(text, encoding="utf-8")
        asked = (words, str(cwd or Path.cwd()), os.environ | {"COLUMNS": "120"}, [*map(str, files)])
        print(json.dumps(asked), file=process.stdin, flush=True)
        code = process.stdout.readline()
        assert code, "the process that commands are forked from has ended"
        return Done(words, int(code), *(file.read_text(encoding="utf-8") for file in files[1:]))


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
