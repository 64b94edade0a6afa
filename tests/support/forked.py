"""Programs in processes of their own that know nothing of this one, and have torch already, whose import takes seconds.

They are copies of the server that workers of a comparison come from.
"""

from __future__ import annotations

import os
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

from gatework.evaluation.processes import CONTEXT
from support import patience

COMMAND = "from gatework.cli import main; main()"


class Forked:
    """A program under way, with what tests need of a `subprocess.Popen`.

    Args:
        words: Its arguments.
        code: The program; the command line if not given.
        cwd: Its working folder.
        stdin: What it can read.
        environment: What its environment has besides this process's.
    """

    def __init__(
        self, *words: object, code: str = COMMAND, cwd: Path | None = None, stdin: str = "", **environment: str
    ) -> None:
        pipes = [CONTEXT.Pipe(duplex=False) for _ in range(3)]
        ends = [pipes[0][0], pipes[1][1], pipes[2][1]]
        known = os.environ | environment
        given = (code, [*map(str, words)], str(cwd or Path.cwd()), known, ends)
        self.process = CONTEXT.Process(target=_begin, args=given)
        self.process.start()
        for end in ends:
            end.close()
        self.stdout, self.stderr = (os.fdopen(os.dup(pipe[0].fileno()), encoding="utf-8") for pipe in pipes[1:])
        with os.fdopen(os.dup(pipes[0][1].fileno()), "w", encoding="utf-8", newline="") as writes:
            writes.write(stdin)
        for mine in (pipes[0][1], pipes[1][0], pipes[2][0]):
            mine.close()

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended; none as long as it runs."""
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        """Sends a signal, where it still runs."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends it at once."""
        self.process.kill()

    def wait(self, timeout: float = patience.SECONDS) -> int:
        """How it ended, once it has."""
        self.process.join(timeout)
        assert self.returncode is not None, "it still runs"
        return self.returncode

    def communicate(self) -> tuple[str, str]:
        """What it has said, on both ways, once it has ended."""
        if not self.stdout.closed:
            with self.stdout, self.stderr:
                self._said = self.stdout.read(), self.stderr.read()
            self.wait()
        return self._said


def _begin(code: str, words: list[str], folder: str, environment: dict[str, str], ends: list[Connection]) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    if hasattr(time, "tzset"):
        time.tzset()
    for number, end in enumerate(ends):
        os.dup2(end.fileno(), number)
        end.close()
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(k, "w" if k else "r", closefd=False) for k in range(3))
    sys.argv = ["gatework", *words]
    exec(compile(code, "program", "exec"), {"__name__": "__main__"})
