"""Values of a command line that need nobody's help: Typer reads each by pydantic, whose import takes 50 ms of a start.

What is not plainly right goes Typer's way, which has the sentences for what is wrong.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_OTHER = object()
"""What stands for a value that is not plain."""


def read_plainly(parameters: Iterable[Any]) -> None:
    """Lets parameters take plain values as they are: of the kind already, texts, paths, numbers in their range."""
    for parameter in parameters:
        if getattr(parameter, "type_descriptor", None) is not None:
            parameter.process_value = _reader(parameter)


def _reader(parameter: Any) -> Any:
    typer_reads = parameter.process_value

    def process_value(context: Any, value: Any) -> Any:
        plain = _plain(parameter, value)
        if plain is _OTHER:
            return typer_reads(context, value)
        return plain if parameter.callback is None else parameter.callback(context, parameter, plain)

    return process_value


def _plain(parameter: Any, value: Any) -> Any:
    kind, about = parameter.type_descriptor.annotation, parameter.type_descriptor.parameter_info
    if getattr(about, "parser", None) or getattr(about, "click_type", None):
        return _OTHER
    if value is None and not parameter.required and not parameter.multiple and parameter.nargs == 1:
        return None
    if kind == list[str] and isinstance(value, (list, tuple)) and value and {*map(type, value)} == {str}:
        return list(value)
    if (kind is str and type(value) is str) or (kind is bool and type(value) is bool):
        return value
    if kind in (int, float):
        return _number(kind, about, value)
    if kind is Path and isinstance(value, (str, Path)):
        return _path(about, value)
    return _OTHER


def _number(kind: type[int] | type[float], about: Any, value: Any) -> Any:
    if type(value) is str and value.isascii() and value.removeprefix("-").isdigit() and len(value) < 10:
        value = kind(value)
    is_in_range = type(value) is kind and (
        (about.min is None or value >= about.min) and (about.max is None or value <= about.max)
    )
    return value if is_in_range else _OTHER


def _path(about: Any, value: str | Path) -> Any:
    asks_more = about.exists or about.writable or about.resolve_path or not (about.file_okay and about.dir_okay)
    if asks_more or not value or not (os.access(value, os.R_OK) or not os.path.lexists(value)):
        return _OTHER
    return Path(value)
