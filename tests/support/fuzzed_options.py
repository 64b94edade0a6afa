"""Trainings, predictions and evaluations with random options, each of which must be done or refused in one sentence.

    PYTHONPATH=tests python tests/support/fuzzed_options.py [CASES] [SEED]

What was learnt from is small and sound, so that whatever fails is between two options that each are allowed. A case
asks for up to four options of one task, now and then one that it does not take.
"""

from __future__ import annotations

import json
import math
import random
import sys
import tempfile
import typing
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from gatework.cells import BUILT_IN
from gatework.errors import GateworkError
from gatework.options import Option
from gatework.options._task_options import TASKS
from gatework.training import Run, train
from support.fuzzed_folders import StopInTime, learnable
from support.fuzzing import go_through

# What is not varied: the data itself, what makes a case long, and what other machines and programs are asked for.
_KEPT = {"dataset", "test_file", "epochs", "minutes", "device", "log", "threads", "from_run", "store"}
_NUMBERS = (0, 1, 2, 3, 5, 7, 16, 64, 0.1, 0.5, 0.9)
_BEYOND = (-1, math.nan, math.inf, 10**30, "x", None, "", [], {}, True)
_TEXTS = ("", "t", "y", "a", "en", "label", "auto", "D", "2", "é\n")


def value(chance: random.Random, option: Option) -> Any:
    """A value of an option; one in thirty is none that it takes."""
    if chance.random() < 1 / 30:
        return chance.choice(_BEYOND)
    if option.choices:
        return chance.choice(option.choices)
    if option.name == "cell":
        return chance.choice(sorted(BUILT_IN))
    member = chance.choice(option.members)
    if member is bool:
        return chance.random() < 0.5
    if member in (int, float):
        numbers = (member(number) for number in (*_NUMBERS, option.low, option.default) if number is not None)
        return chance.choice([number for number in numbers if option.problem(number) is None])
    words = chance.sample(_TEXTS, 2)
    if typing.get_origin(member) is dict:
        return {words[0]: chance.choice(_NUMBERS)}
    return words if option.is_list else words[0]


def changes(chance: random.Random, options: Iterable[Option], most: int) -> dict[str, Any]:
    """Values of a few options."""
    free = [option for option in options if option.name not in _KEPT]
    return {one.name: value(chance, one) for one in chance.sample(free, min(len(free), chance.randint(0, most)))}


def run(seed: int, asked: dict[str, tuple[Any, dict[str, Any]]], folder: Path) -> str:
    """Trains a task with some options, and has it predict and evaluate with others; says how that ended.

    Raises:
        Exception: What nobody expected, which is what is looked for.
    """
    chance = random.Random(seed)
    task = chance.choice(sorted(asked))
    source, columns = asked[task]
    options = TASKS[task]
    given = columns | {"hidden": 2} | changes(chance, options.shown, 4)
    trained: list[Run] = []

    def learn() -> None:
        small = {"epochs": 1, "threads": 1, "progress": StopInTime()}
        trained.append(train(task, source, out=folder / "run", **given, **small))

    told = f"train {task} {given}"
    ends = [_end(told, learn)]
    for command in ("predict", "evaluate") if trained else ():
        given = changes(chance, (one for one in options.prediction_options if command in one.commands), 2)
        ends.append(_end(f"{told}, {command} {given}", partial(_ask, trained[0], command, source, given)))
    return "refused" if "refused" in ends else "done"


def _ask(trained: Run, command: str, source: Any, given: dict[str, Any]) -> None:
    answers = getattr(trained, command)(source, **given)
    if isinstance(answers, pl.DataFrame):
        json.dumps(answers.to_dicts(), allow_nan=False, default=str)


def _end(told: str, ask: Callable[[], Any]) -> str:
    try:
        ask()
    except KeyboardInterrupt:  # its training went on for long
        return "done"
    except GateworkError as error:
        if "\n" in str(error):
            raise AssertionError(f"{told}: not one sentence: {error}") from error
        return "refused"
    except BaseException as error:
        error.add_note(told)
        raise
    return "done"


def main(cases: int = 500, first: int = 0) -> int:
    """Goes through cases, each of which is done or refused in a sentence."""
    with tempfile.TemporaryDirectory() as whole:
        asked = learnable(Path(whole))
        return go_through("sets of options", lambda seed, folder: run(seed, asked, folder), cases, first)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
