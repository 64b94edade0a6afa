"""The command line: one file per command, no logic of its own, nothing heavy imported before it is needed."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Runs the command line; whatever fails is one sentence on standard error and an exit code.

    `GATEWORK_DEBUG=1` shows the traceback of what nobody expected.
    """
    _begin_in_utf8()
    try:
        from gatework.cli._application import main as run
    except KeyboardInterrupt:  # while it is read, a tenth of a second
        print("gatework: stopped", file=sys.stderr)
        sys.exit(130)
    run()


def _begin_in_utf8() -> None:
    """Starts over in Python's UTF-8 mode, and all workers with it, where the locale has no letters but those of ASCII.

    Python does so by itself unless PYTHONUTF8 says otherwise; the words of a command are then bytes without a meaning.
    """
    if os.name == "posix" and sys.getfilesystemencoding() == "ascii":
        words = [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
        os.execve(sys.executable, words, os.environ | {"PYTHONUTF8": "1"})
