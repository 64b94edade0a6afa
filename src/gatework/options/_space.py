"""The space of a search: some options, each with the values to try, as they are declared or as a person says."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gatework.errors import UsageError
from gatework.options._option import Among, Between, Near, Option, Tried, find_option

_LOG = " log"
# Ends that are so many times apart are searched by factors, unless the option or the person says otherwise.
_FAR = 100


@dataclass(frozen=True)
class Dimension:
    """An option and the values of it that a search tries."""

    option: Option
    tried: Tried

    @property
    def name(self) -> str:
        """The option's name with that of its section."""
        return self.option.qualified

    @property
    def is_whole(self) -> bool:
        """Whether its numbers are whole."""
        return self.option.members[0] is int

    def starting_at(self, value: Any) -> Dimension:
        """The same dimension with single values or two ends, between which the start is."""
        if isinstance(self.tried, Among):
            values = self.tried.values
            return self if value in values else replace(self, tried=Among((value, *values)))
        if isinstance(self.tried, Near):
            return replace(self, tried=self._near(value, self.tried.factor))
        low, high = min(self.tried.low, value), max(self.tried.high, value)
        return replace(self, tried=Between(low, high, self.tried.is_log and low > 0))

    def _near(self, start: float, factor: float) -> Between:
        least = self.option.low if self.option.low is not None else -math.inf
        most = self.option.high if self.option.high is not None else math.inf
        low, high = max(start / factor, least), min(start * factor, most)
        return Between(math.ceil(low), math.floor(high), is_log=True) if self.is_whole else Between(low, high, True)

    def state(self) -> dict[str, Any]:
        """The dimension as values that JSON can hold."""
        kept = {"values": list(self.tried.values)} if isinstance(self.tried, Among) else vars(self.tried)
        return {"name": self.name, **kept}


def space_of(options: Iterable[Option]) -> list[Dimension]:
    """Those of the options that a search tries where nobody says what to try."""
    return [Dimension(option, option.tried) for option in options if option.tried is not None]


def dimension(options: Collection[Option], name: str, values: Any, owner: str) -> Dimension:
    """A dimension as a person says it.

    Args:
        options: Those that there are.
        name: The option, by its bare or qualified name.
        values: "16..256", "1e-5..1e-2 log", "lstm,gru", a list of values, or None for those that are declared.
        owner: Who has the options, for messages.

    Raises:
        UsageError: There is no such option, it cannot be searched, or a value is out of its range.
    """
    option = find_option(options, name, owner)
    if values is None:
        if option.tried is None:
            raise UsageError(f"{option.qualified} has no values of its own to try; {_ways(option)}")
        return Dimension(option, option.tried)
    if option.is_list or isinstance(values, Mapping):
        raise UsageError(f"{option.qualified} cannot be searched: its values are neither numbers nor words")
    tried = _tried(option, values)
    ends = tried.values if isinstance(tried, Among) else (tried.low, tried.high)
    problems = [problem for value in ends if (problem := option.problem(value))]
    if problems:
        raise UsageError("; ".join(problems))
    return Dimension(option, tried)


def _tried(option: Option, values: Any) -> Between | Among:
    if isinstance(values, str) and ".." in values:
        return _between(option, values)
    listed = [part.strip() for part in values.split(",")] if isinstance(values, str) else values
    if not isinstance(listed, Sequence) or len(set(map(str, listed))) < 2:
        raise UsageError(f"{option.qualified} is to be searched over {values!r}; {_ways(option)}")
    return Among(tuple(_value(option, item) for item in listed))


def _between(option: Option, text: str) -> Between:
    ends, is_log = text.removesuffix(_LOG), text.endswith(_LOG)
    low, high = (_value(option, end.strip()) for end in ends.split("..", 1))
    is_number = all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in (low, high))
    if not is_number or not low < high or (is_log and low <= 0):
        raise UsageError(f'{option.qualified} is to be searched over "{text}"; {_ways(option)}')
    by_factors = isinstance(option.tried, Near) or (isinstance(option.tried, Between) and option.tried.is_log)
    return Between(low, high, is_log or (by_factors and low > 0) or 0 < low * _FAR <= high)


def _value(option: Option, item: Any) -> Any:
    """One value, of the option's type where a text says one."""
    if not isinstance(item, str) or option.members[0] is str or option.choices:
        return item
    if option.members[0] is bool:
        return {"true": True, "false": False}.get(item.lower(), item)
    for kind in (int, float):
        try:
            return kind(item)
        except ValueError:
            continue
    return item


def _ways(option: Option) -> str:
    """How the values of an option are given."""
    if option.choices or option.members[0] is str:
        return f"give words by commas, as {option.name}={','.join(option.choices[:2] or ('lstm', 'gru'))}"
    if option.members[0] is bool:
        return f"give {option.name}=true,false"
    return f"give two ends, the lower first, as {option.name}={_example(option)}, or values by commas"


def _example(option: Option) -> str:
    low = option.low if option.low is not None else 0
    return f"{low:g}..{low + 8:g}" if option.members[0] is int else f"{low:g}..{low + 0.5:g}"
