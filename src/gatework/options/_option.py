"""An option: a field of a section with its default, range, help and flag, all said once, in the field's metadata.

The check of a recipe, the command line, the tables of the documentation and the keyword arguments of Python read them
from there.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from gatework.errors import UsageError, nearest


@dataclass(frozen=True)
class Between:
    """The numbers between two ends, which a search tries.

    Attributes:
        low: The smallest.
        high: The largest.
        is_log: Whether equal factors, not equal differences, are equally likely.
    """

    low: float
    high: float
    is_log: bool = False

    def __str__(self) -> str:
        return f"{_number(self.low)} to {_number(self.high)}{' (log)' if self.is_log else ''}"


@dataclass(frozen=True)
class Among:
    """Single values, which a search tries."""

    values: tuple[Any, ...]

    def __str__(self) -> str:
        shown = (("no", "yes")[value] if isinstance(value, bool) else str(value) for value in self.values)
        return ", ".join(shown)


@dataclass(frozen=True)
class Near:
    """The numbers near where a search starts, by equal factors.

    Attributes:
        factor: How many times smaller or larger than the start they may be.
    """

    factor: float

    def __str__(self) -> str:
        return f"within a factor of {_number(self.factor)}"


Tried = Between | Among | Near


@dataclass(frozen=True)
class OptionSection:
    """A group of options under one name; subclasses are frozen dataclasses whose fields are made by `option()`.

    Attributes:
        section: The name in a recipe, such as "model", which qualifies its options.
        title: The heading on the command line and in the documentation.
    """

    section: ClassVar[str]
    title: ClassVar[str]

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The section whose fields by name, as JSON holds them, these are.

        Raises:
            TypeError: A field is unknown.
            ValueError: A field's value has the wrong type or is out of its range.
        """
        options = {option.name: option for option in options_of(cls)}
        made = cls(
            **{name: options[name].converted(value) if name in options else value for name, value in state.items()}
        )
        problems = (option.problem(getattr(made, name)) for name, option in options.items())
        if problem := next(filter(None, problems), None):
            raise ValueError(problem)
        return made


def option(
    default: Any,
    *,
    help: str,
    low: float | None = None,
    high: float | None = None,
    is_low_open: bool = False,
    flag: str | None = None,
    metavar: str | None = None,
    group: str | None = None,
    commands: Collection[str] = ("predict", "evaluate"),
    tried: Tried | None = None,
    is_path: bool = False,
) -> Any:
    """A field of a section.

    Args:
        default: The value where none is given.
        help: One or two sentences: what it is, in what unit, and what special values mean.
        low: The lowest value; none if None. Of a mapping, that of each of its values.
        high: The highest value; none if None.
        is_low_open: Whether `low` itself is too low.
        flag: The option's name on the command line, without dashes; the field's name if None.
        metavar: What stands for the value in help; the kind of the value if None.
        group: A heading of its own, for some of a section's options.
        commands: Which commands take it, for options of a prediction.
        tried: The values that a search tries where nobody says otherwise; if None, a search leaves it as it is.
        is_path: Whether it names a file or folder, or a data set: a run keeps its absolute path, and so can be resumed
            from any folder.
    """
    metadata = {
        "help": help,
        "low": low,
        "high": high,
        "is_low_open": is_low_open,
        "flag": flag,
        "metavar": metavar,
        "group": group,
        "commands": tuple(commands),
        "tried": tried,
        "is_path": is_path,
    }
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Option:
    """What is known of one option.

    Attributes:
        section: The name of its section.
        name: The name of the field.
        hint: The type of its values.
        default: The value where none is given.
        title: The heading that it stands under.
    """

    section: str
    name: str
    hint: Any
    default: Any
    title: str
    help: str
    low: float | None
    high: float | None
    is_low_open: bool
    flag: str
    metavar: str
    commands: tuple[str, ...]
    tried: Tried | None
    is_path: bool

    @property
    def qualified(self) -> str:
        """The name with that of the section, such as "forecast.horizon"."""
        return f"{self.section}.{self.name}"

    @property
    def choices(self) -> tuple[str, ...]:
        """The values that there are, where they are words; else none."""
        return typing.get_args(self.hint) if typing.get_origin(self.hint) is Literal else ()

    @property
    def members(self) -> tuple[Any, ...]:
        """The types that a value may have, without None."""
        is_union = typing.get_origin(self.hint) in (typing.Union, types.UnionType)
        return tuple(h for h in typing.get_args(self.hint) if h is not types.NoneType) if is_union else (self.hint,)

    @property
    def is_list(self) -> bool:
        """Whether several values may be given."""
        return any(typing.get_origin(member) is tuple for member in self.members)

    @property
    def range(self) -> str:
        """What values are expected, in words; empty where every value of the type is right."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        low = "" if self.low is None else f"{'above' if self.is_low_open else 'at least'} {_number(self.low)}"
        high = "" if self.high is None else f"at most {_number(self.high)}"
        return " and ".join(filter(None, (low, high)))

    def converted(self, value: Any) -> Any:
        """A value as TOML or Python gives it in the form in which the section keeps it, as a tuple for a list."""
        # What @gatework.cell makes is known by its step, as its class comes with torch.
        if self.qualified == "model.cell" and hasattr(value, "step"):
            return value.name
        if self.is_list and isinstance(value, Sequence) and not isinstance(value, str):
            return tuple(value)
        return {str(key): item for key, item in value.items()} if isinstance(value, Mapping) else value

    def problem(self, value: Any) -> str | None:
        """What is wrong with a value, in a sentence without its stop; None if nothing is."""
        if value is None and types.NoneType in typing.get_args(self.hint):
            return None
        if self.choices:
            return None if value in self.choices else f'{self.qualified} is "{value}", expected {self.range}'
        mappings = [member for member in self.members if typing.get_origin(member) is dict]
        if isinstance(value, dict) and mappings:
            kinds = typing.get_args(mappings[0])[1:]
            problems = (self._problem(f"{self.qualified}.{key}", item, kinds) for key, item in value.items())
            return next(filter(None, problems), None)
        return self._problem(self.qualified, value, self.members)

    def _problem(self, place: str, value: Any, kinds: Sequence[Any]) -> str | None:
        if not any(_is_of(value, kind) for kind in kinds):
            return f"{place} is {value!r}, expected {_KINDS[kinds[0]]}"
        if isinstance(value, (int, float)) and not isinstance(value, bool) and not self._is_within(value):
            return f"{place} is {value}, expected {self.range}"
        return None

    def _is_within(self, value: float) -> bool:
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        return (low < value if self.is_low_open else low <= value) and value <= high


_KINDS = {int: "a whole number", float: "a number", str: "a text in quotes", bool: "true or false"}
_METAVARS = {int: "INTEGER", float: "NUMBER", str: "TEXT", bool: ""}


def _is_of(value: Any, hint: Any) -> bool:
    if isinstance(value, bool):
        return hint is bool
    if typing.get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(isinstance(item, typing.get_args(hint)[0]) for item in value)
    if typing.get_origin(hint) is dict:
        return False
    return isinstance(value, (int, float) if hint is float else hint)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def options_of(section: type[OptionSection]) -> tuple[Option, ...]:
    """The options of a section, in order."""
    if section not in _OPTIONS:
        hints = typing.get_type_hints(section)
        _OPTIONS[section] = tuple(_option(section, field, hints[field.name]) for field in dataclasses.fields(section))
    return _OPTIONS[section]


_OPTIONS: dict[type[OptionSection], tuple[Option, ...]] = {}


def _option(section: type[OptionSection], field: Any, hint: Any) -> Option:
    said = dict(field.metadata)
    if "help" not in said:
        raise TypeError(f"{section.__name__}.{field.name} is made by no gatework.options.option()")
    title = said.pop("group") or section.title
    flag = said.pop("flag") or field.name.replace("_", "-")
    one = Option(section.section, field.name, hint, field.default, title, flag=flag, **said)
    metavar = one.metavar or "|".join(one.choices) or _METAVARS.get(one.members[0], "VALUE")
    return dataclasses.replace(one, metavar=metavar)


def find_option(options: Iterable[Option], name: str, owner: str) -> Option:
    """The option of a name, which its section qualifies or which is the only one of that name.

    Args:
        options: Those that there are.
        name: Such as "horizon" or "forecast.horizon".
        owner: Who has them, for messages, such as "a recipe".

    Raises:
        UsageError: There is none, or there are several.
    """
    options = list(options)
    fitting = [o for o in options if name in (o.name, o.qualified)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f'"{name}" could be {" or ".join(o.qualified for o in fitting)}; name one of them')
    known = [o.qualified if "." in name else o.name for o in options]
    raise UsageError(f'{owner} has no field "{name}": {nearest(name, known)}')
