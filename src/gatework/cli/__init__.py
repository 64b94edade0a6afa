"""The command line: one file per command, no logic of its own, nothing heavy imported before it is needed."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Runs the command line; whatever fails is one sentence on standard error and an exit code.

    `GATEWORK_DEBUG=1` shows the traceback of what nobody expected.
    """
    try:
        from gatework.cli._application import main as run
    except KeyboardInterrupt:  # while it is read, a tenth of a second
        print("gatework: stopped", file=sys.stderr)
        sys.exit(130)
    run()
