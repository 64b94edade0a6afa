"""Signatures that show a call's options: to `help()`, to notebooks, and to what is made for type checkers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import TypeVar

from gatework.options._option import Option
from gatework.options._task_options import TASKS

F = TypeVar("F", bound=Callable[..., object])


def options_of_calls(absent: Collection[str] = ()) -> tuple[Option, ...]:
    """The options that a call of Python takes as keyword arguments: those of every built-in task, each name once."""
    options = {o.name: o for name in TASKS.built_in for o in TASKS[name].options if o.name != "dataset"}
    return tuple(o for o in options.values() if o.name not in absent)


def shows_options(*absent: str) -> Callable[[F], F]:
    """Lets a function that takes changes of a recipe as `**changes` show each of them in its signature.

    Args:
        absent: Options that it does not take.
    """

    def showing(function: F) -> F:
        signature = inspect.signature(function)
        parameters = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        parameters += [
            inspect.Parameter(o.name, inspect.Parameter.KEYWORD_ONLY, default=o.default, annotation=o.hint)
            for o in options_of_calls(absent)
        ]
        vars(function)["__signature__"] = signature.replace(parameters=parameters)
        return function

    return showing
