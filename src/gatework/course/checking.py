"""Exercises with checks that say in words what is wrong."""

from __future__ import annotations

import copy
import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gatework.course.exercises import REGISTRY, Exercise
from gatework.errors import UsageError, nearest

_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Feedback:
    """What the check of an exercise says.

    Attributes:
        is_right: Whether every case gave what was asked for.
        sentence: What to be glad of, or what is wrong and where to look.
        is_begun: Whether there is an answer to judge at all.
    """

    is_right: bool
    sentence: str
    is_begun: bool = True

    @property
    def verdict(self) -> str:
        """The first words: "Right.", "Not yet." or "Your turn."."""
        return "Right." if self.is_right else "Not yet." if self.is_begun else "Your turn."

    def __str__(self) -> str:
        return f"{self.verdict} {self.sentence}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        # The words are in the page's own ink: no colour can be read on both a light and a dark notebook.
        colour, sign = ("#1a7f4b", "✓") if self.is_right else ("#c2453b", "→") if self.is_begun else ("#7a7a83", "✎")
        return (
            f'<div class="check" role="status" style="border-left:4px solid {colour};padding:.3rem .9rem">'
            f"<strong>{sign} {self.verdict}</strong> {html.escape(self.sentence)}</div>"
        )


def check(function: Callable[..., Any]) -> Feedback:
    """Tries an exercise's function on several cases and says what it finds.

    Args:
        function: The learner's function, under the name that the exercise gave it.

    Raises:
        UsageError: No exercise has that name.
    """
    name = getattr(function, "__name__", str(function))
    if name not in REGISTRY:
        raise UsageError(f'no exercise is called "{name}": {nearest(name, REGISTRY)}')
    exercise = REGISTRY[name]
    answers = []
    for case in exercise.cases:
        try:
            answers.append(function(*copy.deepcopy(case)))
        except Exception as error:
            return Feedback(False, f"{_call(exercise, case)} raised {type(error).__name__}: {error}.")
    return _judge(exercise, answers)


def _judge(exercise: Exercise, answers: Sequence[Any]) -> Feedback:
    if all(answer is None for answer in answers):
        return Feedback(False, "Write your answer in place of the dots, and return it.", is_begun=False)
    if _same(answers, _run(exercise, exercise.solution)):
        return Feedback(True, exercise.praise)
    for mistake in exercise.mistakes:
        if _same(answers, _run(exercise, mistake.function)):
            return Feedback(False, mistake.sentence)
    for case, answer in zip(exercise.cases, answers, strict=True):
        wanted = exercise.solution(*copy.deepcopy(case))
        if not _same(answer, wanted):
            return Feedback(False, _difference(exercise, case, answer, wanted))
    raise AssertionError("equal case by case but not together")


def _run(exercise: Exercise, function: Callable[..., Any]) -> list[Any]:
    return [function(*copy.deepcopy(case)) for case in exercise.cases]


def _difference(exercise: Exercise, case: Sequence[Any], answer: Any, wanted: Any) -> str:
    call = _call(exercise, case)
    got, want = _shape(answer), _shape(wanted)
    if answer is None:
        return f"{call} returns None: a branch of your function ends without return."
    if got != want:
        return f"{call} should be {want}, and yours is {got}."
    return f"{call} should be {_brief(wanted)}, and yours is {_brief(answer)}. {exercise.hint}"


def _same(a: Any, b: Any) -> bool:
    if isinstance(b, Mapping):
        return isinstance(a, Mapping) and a.keys() == b.keys() and all(_same(a[k], b[k]) for k in b)
    if isinstance(b, (list, tuple)):
        return isinstance(a, (list, tuple)) and len(a) == len(b) and all(map(_same, a, b))
    if isinstance(b, (str, bool)):
        return type(a) is type(b) and bool(a == b)
    try:
        left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return left.shape == right.shape and np.allclose(left, right, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)


def _shape(value: Any) -> str:
    if isinstance(value, (bool, str)):
        return "True or False" if isinstance(value, bool) else "a text"
    if isinstance(value, (list, tuple)):
        return f"{'a list' if isinstance(value, list) else 'a tuple'} of {len(value)}"
    shape = tuple(getattr(value, "shape", ()))
    return f"an array of shape {shape}" if shape else "a number"


def _brief(value: Any) -> str:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        shown = ", ".join(_brief(v) for v in value[:6]) + (", …" if len(value) > 6 else "")
        return f"[{shown}]" if isinstance(value, list) else f"({shown})"
    return repr(value)


def _call(exercise: Exercise, case: Sequence[Any]) -> str:
    return f"{exercise.name}({', '.join(_brief(argument) for argument in case)})"
