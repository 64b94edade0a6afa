"""Packages that an export needs and an installation may lack."""

from __future__ import annotations

from importlib.util import find_spec

from gatework.errors import UsageError


def need(what: str, *packages: str, extra: str = "export") -> None:
    """Check that packages are installed.

    Args:
        what: What needs them, for the message.
        packages: Their names.
        extra: The extra of gatework that brings them.

    Raises:
        UsageError: One is missing.
    """
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise UsageError(f'{what} needs {" and ".join(missing)}: pip install "gatework[{extra}]"')
