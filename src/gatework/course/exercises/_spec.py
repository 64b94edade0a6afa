"""What an exercise is: a solution, cases to try, and the mistakes that people make, each with its sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people give.

    Attributes:
        function: The function with the mistake in it.
        sentence: What is wrong and where to look, without giving the answer away.
    """

    function: Callable[..., Any]
    sentence: str


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes:
        solution: A right answer; its name is the exercise's name and its source is shown to who asks for it.
        cases: The arguments of each call that is tried.
        mistakes: The mistakes that are recognised by what they give.
        praise: What is said of a right answer.
        hint: What is said after the figures of an answer that is wrong in a way that was not foreseen.
    """

    solution: Callable[..., Any]
    cases: tuple[tuple[Any, ...], ...]
    mistakes: tuple[Mistake, ...]
    praise: str
    hint: str

    @property
    def name(self) -> str:
        """The name of the function that the learner writes."""
        return self.solution.__name__
