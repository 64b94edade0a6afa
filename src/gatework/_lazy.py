"""Public names that are imported when they are first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import Any


def lazy(
    package: str, names: Mapping[str, Collection[str]], modules: Collection[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and the `__dir__` of a package whose public names cost nothing until they are used.

    A package assigns both, and repeats the imports under `TYPE_CHECKING` for type checkers and editors; a test holds
    the two and `__all__` together. No public name may be that of the module it comes from: importing the module would
    put it in the name's place.

    Args:
        package: The package's `__name__`.
        names: For each module of the package, by its name in it, the public names that come from there.
        modules: Modules of the package that are public themselves.

    Returns:
        `__getattr__`, which raises an AttributeError for any other name, and `__dir__`.
    """
    homes = {name: f"{package}.{module}" for module, members in names.items() for name in members}

    def get(name: str) -> Any:
        if name in modules:
            return import_module(f"{package}.{name}")
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    def list_names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes, *modules})

    return get, list_names
