"""Writes what is made from the options: the typed signatures of Python's calls, and the tables of the documentation.

`make options` runs it; a test checks that what is kept is current.
"""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from gatework.options import SHARED, TASKS, Names, Option, OptionSection, options_of, options_of_calls

_MARKS = "<!-- options: {} -->", "<!-- end of options -->"


def signatures() -> str:
    """The content of `gatework/_typed.pyi`."""
    absent = {"train": (), "compare": ("cell", "seed"), "tune": ("minutes",)}
    shown = {call: "\n".join(map(_parameter, options_of_calls(names))) for call, names in absent.items()}
    return _STUB.format(**shown)


def tables(text: str) -> str:
    """A page of the documentation with its tables of options as they are now.

    Args:
        text: The page; a table stands between `<!-- options: SECTION -->` and `<!-- end of options -->`.
    """
    kinds = {kind.section: kind for kind in (*SHARED, *(s for task in TASKS.values() for s in task.sections))}
    for name, kind in kinds.items():
        start, end = _MARKS[0].format(name), _MARKS[1]
        if start in text:
            before, _, rest = text.partition(start)
            text = f"{before}{start}\n{table(kind)}\n{end}{rest.partition(end)[2]}"
    return text


def table(section: type[OptionSection]) -> str:
    """The options of a section as a table in Markdown."""
    lines = ["| field | default | values | what it is |", "| --- | --- | --- | --- |"]
    return "\n".join(lines + [_row(option) for option in options_of(section)])


def _row(option: Option) -> str:
    default = "" if option.default in (None, "") else f"`{_toml(option.default)}`"
    values = ", ".join(f"`{choice}`" for choice in option.choices) or option.range or _words(option)
    return f"| `{option.name}` | {default} | {values} | {option.help} |".replace("|  |", "| |")


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)


def _words(option: Option) -> str:
    kind = option.members[0]
    if option.is_list:
        return "one or several names" if option.hint == Names else "one or several texts"
    return {bool: "`true`, `false`", str: "a text", int: "a whole number", float: "a number"}[kind]


def _parameter(option: Option) -> str:
    # A cell that somebody wrote stands where its name does.
    hint = "str | CellSpec" if option.name == "cell" else _source(option.hint)
    return f"    {option.name}: {hint} = ...,"


def _source(hint: Any) -> str:
    """A type as source."""
    if hint == Names:
        return "str | Sequence[str] | None"
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return f"Literal[{', '.join(map(_quoted, arguments))}]"
    if origin in (typing.Union, types.UnionType):
        return " | ".join(map(_source, arguments))
    if origin is tuple:
        return f"Sequence[{_source(arguments[0])}]"
    if origin is dict:
        return f"Mapping[{', '.join(map(_source, arguments))}]"
    return "None" if hint is types.NoneType else str(hint.__name__)


def _quoted(text: str) -> str:
    return f'"{text}"'


_STUB = """# Made by `make options` from the options of every task; do not edit.
from collections.abc import Collection, Mapping, Sequence
from os import PathLike
from typing import Literal

from narwhals.typing import IntoDataFrame

from gatework._compared import Compared
from gatework._trained import ShownRun
from gatework._tuned import Tuned
from gatework.cells import CellSpec
from gatework.data.dataset import Dataset
from gatework.recipe import Recipe
from gatework.training.progress import Progress

def train(
    task: str,
    source: str | PathLike[str] | IntoDataFrame | Dataset,
    *,
    out: str | PathLike[str],
    recipe: str | Recipe | None = ...,
    threads: int | None = ...,
    progress: Progress | None = ...,
{train}
) -> ShownRun: ...
def resume(
    path: str | PathLike[str],
    source: str | PathLike[str] | IntoDataFrame | Dataset | None = ...,
    *,
    progress: Progress | None = ...,
) -> ShownRun: ...
def compare(
    source: str | PathLike[str] | IntoDataFrame | Dataset,
    *,
    out: str | PathLike[str],
    cells: Sequence[str | CellSpec] = ...,
    seeds: int = ...,
    match: str = ...,
    task: str | None = ...,
    recipe: str | Recipe | None = ...,
    workers: int = ...,
    progress: Progress | None = ...,
    command: str = ...,
    on: str = ...,
{compare}
) -> Compared: ...
def tune(
    task: str,
    source: str | PathLike[str] | IntoDataFrame | Dataset,
    *,
    out: str | PathLike[str],
    trials: int = ...,
    minutes: float | None = ...,
    over: Mapping[str, object] | Collection[str] = ...,
    seeds: int = ...,
    recipe: str | Recipe | None = ...,
    workers: int = ...,
    progress: Progress | None = ...,
    command: str = ...,
{tune}
) -> Tuned: ...
"""


def main(pages: Iterable[str]) -> None:
    """Writes the signatures, and the tables of pages."""
    Path(__file__).parents[1].joinpath("_typed.pyi").write_text(signatures(), encoding="utf-8")
    for page in map(Path, pages):
        page.write_text(tables(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
