"""The teacher's page keeps step with the lessons."""

from __future__ import annotations

import re

import pytest

from gatework.course.lessons import lessons
from support.source_tree import ROOT

PAGE = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")


def section_of(lesson):
    """What the page says of a lesson."""
    return PAGE.partition(f"## {lesson.number}. {lesson.title}\n")[2].partition("\n## ")[0]


def written(answer):
    """An answer as the page has it."""
    if "range" in answer:
        return " to ".join(f"{end:g}" for end in answer["range"])
    return f"{answer['value']:g}" if "value" in answer else answer["answer"].rstrip(".")


@pytest.mark.parametrize("each", lessons(), ids=lambda each: each.name)
def test_the_right_answers_to_a_lessons_questions_stand_in_the_teachers_page(each):
    lines = section_of(each).partition("Answers to the questions:\n")[2].strip().splitlines()
    for line, question in zip(lines, each.questions.values(), strict=True):
        rights = [written(answer) for answer in question.content["answers"] if answer.get("correct")]
        assert line == f"- {' '.join(question.content['question'].split())} *{'*, *'.join(rights)}*"


@pytest.mark.parametrize("each", lessons(), ids=lambda each: each.name)
def test_the_parts_of_a_lesson_stand_in_the_teachers_page_and_add_up_to_its_minutes(each):
    rows = re.findall(r"^\| (.+?) \| (\d+) \|$", section_of(each), re.MULTILINE)
    parts = re.findall(r"^## (.+)$", each.text, re.MULTILINE)
    assert [part for part, _ in rows] == [p for p in parts if p not in ("What to take with you", "Teach it back")]
    minutes = re.search(r"^\*\*(\d+) minutes\.\*\*", each.text, re.MULTILINE)
    assert sum(int(m) for _, m in rows) == int(minutes[1])
