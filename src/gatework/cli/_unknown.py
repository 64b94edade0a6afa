"""An option that a command does not take: which command does, and which one may have been meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence

from gatework.errors import nearest
from gatework.formatting import listed
from gatework.options import TASKS, Option, TaskOptions

_ASKING = ("predict", "evaluate")
# So alike are the flags of a slip, such as --cell and --cells: it is named beside the command that takes the former.
_SLIP = 0.85


def unknown_option(flag: str, similar: Sequence[str], command: str) -> str:
    """The sentence for an option that a command does not take.

    Args:
        flag: The option as it was typed, with its dashes.
        similar: Options of the command that resemble it.
        command: The command.
    """
    others, sentence = _taken_elsewhere(command), f'there is no option "{flag}"'
    if flag in others:
        slip = difflib.get_close_matches(flag, similar, n=1, cutoff=_SLIP)
        hint = f" ({nearest(flag, slip)})" if slip else ""
        return f"{sentence} here{hint}; {flag} is an option of {others[flag]}"
    close = difflib.get_close_matches(flag, [*similar, *others], n=1)
    if close and close[0] not in similar:
        return f'{sentence} (did you mean "{close[0]}", an option of {others[close[0]]}?)'
    return f"{sentence} ({nearest(flag, similar)})" if similar else sentence


def _taken_elsewhere(command: str) -> dict[str, str]:
    """Every declared flag with the commands that take it, such as "train classify", those like this command first."""
    word = command if command in ("check", "tune") else "train"
    training = _places(lambda task: task.shown, word, "{} {}")
    asking: dict[str, str] = {}
    for asked in sorted(_ASKING, key=lambda asked: asked == command):

        def options(task: TaskOptions, asked: str = asked) -> list[Option]:
            return [option for option in task.prediction_options if asked in option.commands]

        asking |= _places(options, asked, "{} for a run of {}")
    return training | asking if command in _ASKING else asking | training


def _places(options: Callable[[TaskOptions], Iterable[Option]], command: str, form: str) -> dict[str, str]:
    """The flags of a command with its tasks that have them; with the command alone where every task does."""
    tasks: dict[str, list[str]] = {}
    for task in TASKS.values():
        for flag in dict.fromkeys(flag for option in options(task) for flag in _flags(option)):
            tasks.setdefault(flag, []).append(form.format(command, task.name))
    return {flag: command if len(each) == len(TASKS) else listed(each) for flag, each in tasks.items()}


def _flags(option: Option) -> list[str]:
    flags = [f"--{option.flag}", f"--{option.section}.{option.flag}"]
    return [*flags, *(re.sub("^--", "--no-", flag) for flag in flags if option.members[0] is bool)]
