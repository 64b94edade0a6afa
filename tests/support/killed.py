"""Programs that are killed at a moment that is counted in what they do to files, and not in seconds."""

from __future__ import annotations

_PROGRAM = """
import os, signal, sys
def _watch(folder, name, moment):
    done = 0
    def heard(event, arguments):
        nonlocal done
        if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"):
            path = arguments[event == "os.rename"]  # of an open file there may be its number
            path = os.path.abspath(path) if isinstance(path, (str, os.PathLike)) else ""
            if path.startswith(folder + os.sep) and path.endswith(name):
                done += 1
                if done == moment:
                    os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(heard)
_watch(*{arguments!r})
"""


def killed_at(moment: int, folder: object, name: str = "") -> str:
    """The beginning of a program that ends as if killed just before it does something to a file.

    Args:
        moment: Which of the times it opens, moves or removes such a file, or makes such a folder, counted from 1.
        folder: The folder that the files stand in, or below.
        name: How their paths end.
    """
    return _PROGRAM.format(arguments=(str(folder), name, moment))
