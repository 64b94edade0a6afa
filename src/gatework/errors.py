"""Every error that gatework raises on purpose.

    GateworkError
    |- UsageError        the call or command is wrong: an unknown option, cell or data set      (exit code 2)
    |  |- TensorError    a tensor has the wrong shape or device: also a RuntimeError
    |  |- KindError      an argument has the wrong type or dtype: also a TypeError
    |- DataError         what was read is wrong: a file, a row, a column, a checksum            (exit code 1)
    |- RunError          a run or comparison folder is missing, corrupt, or something else      (exit code 1)
    |- TrainingError     training cannot go on, as when the loss is no longer a number          (exit code 1)
    |- StoppedError      a person stopped the work; the sentence says how to go on              (exit code 130)
    |- ExportError       what was exported does not do what the model does                      (exit code 1)

Each message is one sentence: what, where, what was expected, and the way out. The command line prints it without a
traceback and ends with the class's `exit_code`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GateworkError(Exception):
    """The base of every expected failure."""

    exit_code = 1

    def __str__(self) -> str:
        """One line, also where a name or a value that it quotes holds several."""
        return super().__str__().replace("\n", "\\n")


class UsageError(GateworkError, ValueError):
    """The call or the command is wrong."""

    exit_code = 2


class TensorError(UsageError, RuntimeError):
    """A tensor has the wrong shape or device; a RuntimeError, because that is what torch raises."""


class KindError(UsageError, TypeError):
    """An argument has the wrong type; a TypeError, because that is what Python and torch raise."""


class DataError(GateworkError, ValueError):
    """A file, table, row or column is not what was expected."""


class RunError(GateworkError, RuntimeError):
    """A run or comparison folder is missing, incomplete or corrupt."""


class TrainingError(GateworkError, RuntimeError):
    """Training cannot go on."""


class StoppedError(GateworkError):
    """A person stopped the work."""

    exit_code = 130


class ExportError(GateworkError, RuntimeError):
    """What was exported does not do what the model does."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for a mistyped name: `did you mean "x"?`, or the list of what there is.

    Args:
        name: What the person wrote.
        known: Every name that would have been right.
    """
    known = list(known)
    lowered = {k.lower(): k for k in known}
    close = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.6)
    if close:
        return f'did you mean "{lowered[close[0]]}"?'
    return "there is " + ", ".join(known) if known else "there is none"
