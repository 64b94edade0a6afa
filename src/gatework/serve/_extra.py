"""The packages of the extra `gatework[serve]`."""

from __future__ import annotations

from importlib.util import find_spec

from gatework.errors import UsageError

_PACKAGES = ("starlette", "msgspec", "uvicorn", "httptools", "websockets")


def check_packages() -> None:
    """Checks that what a server needs is installed.

    Raises:
        UsageError: Something is missing.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(f'gatework serve needs {" and ".join(missing)}: pip install "gatework[serve]"')
