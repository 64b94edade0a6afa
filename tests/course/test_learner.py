"""A learner's copy of the lessons."""

from __future__ import annotations

import json
import sys

import pytest

from gatework.course import learner
from gatework.course.learner import copy_lessons, start_jupyterlab
from gatework.course.lessons import lessons
from gatework.errors import RunError, UsageError


def test_every_lesson_is_copied_and_an_edited_one_is_never_overwritten(tmp_path):
    folder = tmp_path / "mine"
    first = copy_lessons(folder)
    assert [file.stem for file in first.written] == [lesson.name for lesson in lessons()]
    edited = first.written[2]
    content = json.loads(edited.read_text())
    content["cells"][0]["source"] = "mine"
    edited.write_text(json.dumps(content))
    second = copy_lessons(folder)
    assert second.kept == (edited,)
    assert json.loads(edited.read_text()) == content
    third = copy_lessons(folder)
    assert third.kept == (edited,), "a second call must not take the edit for its own work"


def test_a_deleted_lesson_comes_back_and_files_of_the_learner_stay(tmp_path):
    copied = copy_lessons(tmp_path)
    copied.written[0].unlink()
    notes = tmp_path / "notes.ipynb"
    notes.write_text("mine")
    assert copied.written[0] in copy_lessons(tmp_path).written
    assert notes.read_text() == "mine"


def test_without_a_record_whatever_is_there_counts_as_edited(tmp_path):
    copied = copy_lessons(tmp_path)
    (tmp_path / ".gatework-course.json").unlink()
    assert copy_lessons(tmp_path).kept == copied.written


def test_a_notebook_is_valid(tmp_path):
    import nbformat

    for file in copy_lessons(tmp_path).written:
        nbformat.validate(nbformat.read(file, as_version=4))


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="is a file; name a folder"):
        copy_lessons(tmp_path / "file")


def test_without_jupyterlab_the_sentence_says_where_the_lessons_are_and_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(learner.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r'the lessons are in .*pip install "gatework\[course\]"'):
        start_jupyterlab(tmp_path)


def test_jupyterlab_is_started_on_the_folder_by_this_python(tmp_path, monkeypatch):
    called = []
    monkeypatch.setattr(learner.importlib.util, "find_spec", lambda _: object())
    monkeypatch.setattr(learner.subprocess, "run", lambda command, check: called.append(command) or _Done())
    assert start_jupyterlab(tmp_path, opens_browser=False) == 0
    assert called == [[sys.executable, "-m", "jupyterlab", str(tmp_path), "--no-browser"]]


class _Done:
    returncode = 0
