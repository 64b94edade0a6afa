"""Tables of what there is by name: built in, of installed packages, and a person's own.

A name is looked up in this order: built in; registered by a call; an entry point of an installed package; and what
the files named by `GATEWORK_PLUGINS` register. The last two are loaded when they are first needed. Nothing that a run
folder holds loads code.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from gatework.errors import UsageError, nearest

PLUGINS = "GATEWORK_PLUGINS"
"""The environment variable that names Python files to import, separated as in PATH."""

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """A table of what there is of one kind, in order; a value is imported when it is first asked for.

    Args:
        noun: What a value is called in messages, such as "task".
        group: The group of entry points by which installed packages add to it.
        built_in: Every built-in name with its value, or with the place of one as "module:attribute".
        adapt: Makes a value of what an entry point names.
    """

    def __init__(
        self, noun: str, group: str, built_in: Mapping[str, T | str], adapt: Callable[[Any], T] | None = None
    ) -> None:
        self._noun, self._group, self._adapt = noun, group, adapt
        self._built_in = tuple(built_in)
        self._values: dict[str, T | str] = dict(built_in)

    def register(self, name: str, value: T) -> None:
        """Adds a value, in place of one that was registered under that name before.

        Raises:
            UsageError: The name is a built-in one.
        """
        if name in self._built_in:
            raise UsageError(f'"{name}" is a built-in {self._noun}; give yours another name')
        self._values[name] = value

    @property
    def built_in(self) -> tuple[str, ...]:
        """The built-in names, in order."""
        return self._built_in

    def find(self, name: str) -> T:
        """The value of that name.

        Raises:
            UsageError: There is none.
        """
        if name not in self:
            raise UsageError(f'there is no {self._noun} "{name}": {nearest(name, self)}')
        return self[name]

    def __getitem__(self, name: str) -> T:
        if name not in self._values:
            self._load_others()
        value = self._values[name]
        if isinstance(value, str):
            loaded = resolve(value)
            value = self._values[name] = self._adapt(loaded) if self._adapt else loaded
        return value

    def __contains__(self, name: object) -> bool:
        if name not in self._values:
            self._load_others()
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        self._load_others()
        return iter(tuple(self._values))

    def __len__(self) -> int:
        self._load_others()
        return len(self._values)

    def _load_others(self) -> None:
        for point in entry_points(self._group):
            self._values.setdefault(point.name, point.value)
        load_plugins()


_MODULES: set[str] = set()


def note_module(name: str) -> None:
    """Notes a module that registers something, for `registering_modules()`."""
    if name != "__main__":  # which a process of multiprocessing imports by itself
        _MODULES.add(name)


def registering_modules() -> tuple[str, ...]:
    """The modules that another process must import to know what was registered here."""
    return tuple(sorted(_MODULES))


def resolve(place: str) -> Any:
    """Imports what "module:attribute" names."""
    module, _, attribute = place.partition(":")
    return functools.reduce(getattr, attribute.split("."), importlib.import_module(module))


@functools.cache
def entry_points(group: str) -> tuple[importlib.metadata.EntryPoint, ...]:
    """What installed packages add to a group."""
    return tuple(importlib.metadata.entry_points(group=group))


def add_plugin(file: str | os.PathLike[str]) -> None:
    """Adds a file to those that `GATEWORK_PLUGINS` names, for this process and those that it starts."""
    others = os.environ.get(PLUGINS)
    os.environ[PLUGINS] = os.pathsep.join([*([others] if others else []), str(Path(file).absolute())])


def load_plugins() -> None:
    """Imports the files that `GATEWORK_PLUGINS` names, each once.

    Raises:
        UsageError: A file is missing, or fails.
    """
    for file in filter(None, os.environ.get(PLUGINS, "").split(os.pathsep)):
        _load_plugin(file)


_LOADED: set[str] = set()


def _load_plugin(file: str) -> None:
    if file in _LOADED:
        return
    path = Path(file)
    if path.suffix != ".py" or not path.is_file():
        raise UsageError(f"the plugin {file} is not there or no Python file; name a .py file that registers something")
    _LOADED.add(file)
    # By its own name, so that another process that is handed an object of it can import it again.
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    module = importlib.import_module(path.stem)
    if Path(getattr(module, "__file__", None) or "").resolve() != path.resolve():
        raise UsageError(f'the plugin {file} has the name of another module, "{path.stem}"; rename the file')
