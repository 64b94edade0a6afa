"""The teacher's page keeps step with the lessons."""

from __future__ import annotations

import re

import pytest

from gatework.course.lessons import lessons
from support.source_tree import ROOT

PAGE = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("each", lessons(), ids=lambda each: each.name)
def test_the_parts_of_a_lesson_stand_in_the_teachers_page_and_add_up_to_its_minutes(each):
    _, _, section = PAGE.partition(f"## {each.number}. {each.title}\n")
    rows = re.findall(r"^\| (.+?) \| (\d+) \|$", section.partition("\n## ")[0], re.MULTILINE)
    parts = re.findall(r"^## (.+)$", each.text, re.MULTILINE)
    assert [part for part, _ in rows] == [p for p in parts if p not in ("What to take with you", "Teach it back")]
    minutes = re.search(r"^\*\*(\d+) minutes\.\*\*", each.text, re.MULTILINE)
    assert sum(int(m) for _, m in rows) == int(minutes[1])
