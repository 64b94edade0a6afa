"""Options of the command line: those that several commands share, and those that are made from declared options."""

from __future__ import annotations

import functools
import inspect
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from gatework.options import TASKS, Option

Out = Annotated[Path, typer.Option(help="The folder to write.")]
RecipeName = Annotated[str | None, typer.Option("--recipe", help="A named recipe, or the path of a .toml file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Weights = Annotated[
    str, typer.Option(help="What recurrent layers compute on: float32, or int8, which takes a quarter of the time.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
On = Annotated[
    str,
    typer.Option(
        help="Where runs are trained: processes of this machine, dask://HOST:PORT, or MODULE:NAME of an executor of "
        "concurrent.futures."
    ),
]
Changes = dict[str, Any]
"""What a command with declared options is given in `changes`: those that were given, by their qualified names."""


def task_names(incomplete: str) -> list[str]:
    """The tasks that a shell may complete a word to."""
    return [name for name in TASKS if name.startswith(incomplete)]


_QUALIFIED = re.compile(r"(, )?--(no-)?\w+\.[\w.-]+")


@dataclass(frozen=True)
class Declared:
    """The declared options that a command takes.

    Attributes:
        options: The options, each once.
        defaults: The values that stand where none is given, by qualified name; the options' own if absent.
        needed: Those that a table of a person's own needs, by qualified name.
        about: What stands before the command's own help.
        example: A command line to show.
    """

    options: Sequence[Option] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    needed: Collection[str] = ()
    about: str = ""
    example: str = ""

    @property
    def titles(self) -> tuple[str, ...]:
        """The headings, in order."""
        return tuple(dict.fromkeys(option.title for option in self.options))


def with_declared(command: Callable[..., None], declared: Declared) -> Callable[..., None]:
    """A command with declared options in place of its parameter `changes`, in which it is given their values."""
    signature = inspect.signature(command, eval_str=True)
    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in signature.parameters.values()]
    place = list(signature.parameters).index("changes")
    counts = Counter(option.flag for option in declared.options)
    counts.update(name.replace("_", "-") for name in signature.parameters)
    by_name = {f"{o.section}__{o.name}": o for o in declared.options}
    parameters[place : place + 1] = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=_annotation(option, declared, is_unique=counts[option.flag] == 1),
        )
        for name, option in by_name.items()
    ]

    @functools.wraps(command)
    def given(**values: Any) -> None:
        changes = {o.qualified: _value(values.pop(name)) for name, o in by_name.items()}
        command(**values, changes={name: value for name, value in changes.items() if value is not None})

    vars(given)["__signature__"] = signature.replace(parameters=parameters)
    given.__annotations__ = {p.name: p.annotation for p in parameters}
    return given


def bare(changes: Changes) -> dict[str, Any]:
    """The options of one task's prediction by their own names."""
    return {name.rpartition(".")[2]: value for name, value in changes.items()}


def without_qualified(names: str) -> str:
    """An option's names as help shows them: the short one, where there is one."""
    short = _QUALIFIED.sub("", names)
    return short if "--" in short else names


def _annotation(option: Option, declared: Declared, *, is_unique: bool) -> Any:
    kind: Any = option.members[0]
    flags = [*([f"--{option.flag}"] if is_unique else []), f"--{option.section}.{option.flag}"]
    if kind is bool:
        flags = [f"{flag}/{re.sub('^--', '--no-', flag)}" for flag in flags]
    said: dict[str, Any] = {
        "help": option.help + _remark(option, declared),
        "rich_help_panel": option.title,
    }
    if kind is not bool:
        said["metavar"] = option.metavar
    if any(member not in (bool, int, float, str) for member in option.members) and not (
        option.is_list or option.choices
    ):
        return Annotated[Any, typer.Option(*flags, parser=share_or_shares, **said)]
    if option.is_list:
        return Annotated[Optional[list[str]], typer.Option(*flags, **said)]  # noqa: UP045
    kind = str if option.choices else kind
    return Annotated[Optional[kind], typer.Option(*flags, **said)]  # noqa: UP045


def _remark(option: Option, declared: Declared) -> str:
    """The default as help shows it, or that a value is needed; nothing where 0 stands for a choice."""
    value = declared.defaults.get(option.qualified, option.default)
    if value is None and option.qualified in declared.needed:
        return " [needed for a table of your own]"
    if value is None or value == "" or (value == 0 and " 0: " in option.help and not isinstance(value, bool)):
        return ""
    shown = ("off", "on")[value] if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else value
    return f" [default: {shown}]"


def _value(given: Any) -> Any:
    """What a person gave: one of a repeated option alone, nothing where an option was not given."""
    if not isinstance(given, list):
        return given
    return given[0] if len(given) == 1 else tuple(given) or None


def share_or_shares(text: str) -> float | dict[str, float]:
    """A share as `0.1`, or shares by name as `c=0.5,h=0.05`."""
    try:
        if "=" not in text:
            return float(text)
        return {state.strip(): float(share) for state, share in (part.split("=") for part in text.split(","))}
    except ValueError:
        raise typer.BadParameter(f'"{text}" is neither a share as 0.1, nor shares by state as c=0.5,h=0.05') from None
