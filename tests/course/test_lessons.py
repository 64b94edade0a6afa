"""Every lesson from top to bottom."""

from __future__ import annotations

import re

import pytest

from gatework.course.lessons import lesson, lessons
from gatework.course.notebooks import build, kernel, outputs
from gatework.errors import DataError, UsageError

LESSONS = lessons()
BY_NAME = pytest.mark.parametrize("each", LESSONS, ids=[each.name for each in LESSONS])


@BY_NAME
def test_a_lesson_runs_and_everything_its_text_claims_is_so(each, run_lesson):
    notebook = run_lesson(each)
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    assert not [output.text for output in outputs(notebook) if output.get("name") == "stderr"]


@BY_NAME
def test_a_lesson_says_what_one_can_do_after_it_and_how_long_it_takes(each):
    assert each.lead.startswith("After this lesson you")
    minutes = re.search(r"^\*\*(\d+) minutes\.\*\*", each.text, re.MULTILINE)
    assert minutes is not None
    assert 15 <= int(minutes[1]) <= 30


@BY_NAME
def test_a_lesson_ends_with_a_way_to_show_what_one_has_learnt(each):
    assert len(each.text.partition("## Teach it back\n\n")[2].split("\n\n")[0].split()) > 30


@BY_NAME
def test_a_learners_notebook_holds_no_assertions_and_no_outputs(each):
    notebook = build(each)
    assert not outputs(notebook)
    assert not any("claim" in cell.metadata.get("tags", []) for cell in notebook.cells)
    assert "<!--" not in "".join(cell.source for cell in notebook.cells)


@BY_NAME
def test_building_a_lesson_twice_gives_the_same_file(each):
    assert build(each) == build(each)


@BY_NAME
def test_a_lesson_checks_the_exercises_that_it_sets(each):
    set_there = set(re.findall(r"course\.check\((\w+)\)", each.text))
    assert set_there
    assert set_there == set(re.findall(r"<!-- solution: (\w+) -->", each.text))


def test_the_lessons_are_numbered_from_one_without_a_gap():
    assert [each.number for each in LESSONS] == list(range(1, len(LESSONS) + 1))


def test_a_lesson_that_is_not_there_is_named():
    with pytest.raises(UsageError, match="there is no lesson 99"):
        lesson(99)


def test_a_notebook_runs_though_the_folder_of_the_one_before_is_gone(running, tmp_path):
    from nbformat.v4 import new_code_cell, new_notebook

    gone = tmp_path / "gone"
    gone.mkdir()
    running.execute(new_notebook(cells=[new_code_cell("name = 1")]), gone)
    gone.rmdir()
    after = new_notebook(cells=[new_code_cell("import os\nprint(os.getcwd(), 'name' in globals())")])
    [printed] = outputs(running.execute(after, tmp_path))
    assert printed.text.split() == [str(tmp_path), "False"]
    with pytest.raises(DataError, match=r"^a cell of the lesson failed: ValueError: no$"):
        running.execute(new_notebook(cells=[new_code_cell("raise ValueError('no')")]), tmp_path)


def test_a_kernel_that_dies_is_told_in_a_sentence(tmp_path):
    from nbformat.v4 import new_code_cell, new_notebook

    with kernel() as dying, pytest.raises(DataError, match=r"^the Python that runs the lessons ended in the middle"):
        dying.execute(new_notebook(cells=[new_code_cell("import os\nos._exit(9)")]), tmp_path)


def test_every_lesson_says_how_long_it_takes():
    assert all(15 <= lesson.minutes <= 60 for lesson in lessons())
