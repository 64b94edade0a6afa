"""The lessons as they are written: Markdown with Python cells, and beside each a TOML file with its quizzes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gatework.course.quizzes import Question, read_questions
from gatework.errors import UsageError, nearest

FOLDER = Path(__file__).parent / "lessons"
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
_MINUTES = re.compile(r"^\*\*(\d+) minutes\.\*\*", re.MULTILINE)


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes:
        path: The Markdown file; its name begins with the lesson's number.
    """

    path: Path

    @property
    def name(self) -> str:
        """The file's name without its ending, as "01-why-order-matters"."""
        return self.path.stem

    @property
    def number(self) -> int:
        """The place in the course, from 1."""
        return int(self.name.split("-")[0])

    @cached_property
    def text(self) -> str:
        """The Markdown."""
        return self.path.read_text(encoding="utf-8")

    @property
    def title(self) -> str:
        """The first heading."""
        match = _TITLE.search(self.text)
        if match is None:
            raise UsageError(f"{self.path} has no title; begin it with a line such as: # Why order matters")
        return match[1]

    @property
    def lead(self) -> str:
        """The paragraph under the title: what one is able to do after the lesson."""
        return self.text.split("\n\n")[1].replace("\n", " ")

    @property
    def minutes(self) -> int:
        """How long it takes to read the lesson and to answer its questions, as it says itself."""
        match = _MINUTES.search(self.text)
        if match is None:
            raise UsageError(
                f"{self.path} does not say how long it takes; put a line under its lead such as: **20 minutes.**"
            )
        return int(match[1])

    @cached_property
    def questions(self) -> dict[str, Question]:
        """The quiz questions by name."""
        return read_questions(self.path.with_name(f"{self.name}.quiz.toml"))


def lessons() -> list[Lesson]:
    """Every lesson in order."""
    return [Lesson(path) for path in sorted(FOLDER.glob("[0-9][0-9]-*.md"))]


def lesson(number: int) -> Lesson:
    """The lesson with that number.

    Raises:
        UsageError: There is none.
    """
    by_number = {each.number: each for each in lessons()}
    if number not in by_number:
        raise UsageError(f"there is no lesson {number}: {nearest(str(number), [str(n) for n in by_number])}")
    return by_number[number]
