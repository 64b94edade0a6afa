"""A learner's copy of the lessons."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time

import pytest
import requests

from gatework.course import extra, learner
from gatework.course.learner import copy_lessons, jupyterlab_command
from gatework.course.lessons import lessons
from gatework.errors import RunError, UsageError
from support import patience

COMMAND = (sys.executable, "-c", "from gatework.cli import main; main()")


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


def test_a_file_that_is_no_text_and_a_folder_of_a_lessons_name_are_kept(tmp_path):
    copied = copy_lessons(tmp_path)
    scrap, folder = copied.written[:2]
    scrap.write_bytes(b"\xff\xfe")
    folder.unlink()
    folder.mkdir()
    assert copy_lessons(tmp_path).kept == (scrap, folder)
    assert scrap.read_bytes() == b"\xff\xfe"


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


def test_a_package_that_the_course_needs_is_named_with_the_way_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr(extra.importlib.util, "find_spec", lambda name: None if name == "nbformat" else object())
    with pytest.raises(UsageError, match=r'needs nbformat, .*pip install "gatework\[course\]"'):
        copy_lessons(tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_without_jupyterlab_the_sentence_says_where_the_lessons_are_and_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(learner.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r'the lessons are in .*pip install "gatework\[course\]"'):
        jupyterlab_command(tmp_path)


def test_root_is_told_how_to_let_jupyterlab_run(tmp_path, monkeypatch):
    monkeypatch.setattr(learner.os, "geteuid", lambda: 0)
    with pytest.raises(UsageError, match=r"does not run as root .* with --allow-root"):
        jupyterlab_command(tmp_path)
    assert "--allow-root" in jupyterlab_command(tmp_path, allows_root=True)


def test_jupyterlab_serves_the_lessons_and_ends_when_it_is_told_to(tmp_path):
    places = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    folder = tmp_path / "mine"
    command = [*COMMAND, "learn", str(folder), "--no-browser", "--allow-root"]
    # Its log goes to a file, so that nobody has to empty a pipe; whatever happens, it is ended.
    with open(tmp_path / "log", "w+") as log:
        process = subprocess.Popen(command, env=os.environ | places, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            served = _served(process, tmp_path / "log")
        finally:
            process.terminate()
            printed, _ = process.communicate(timeout=patience.SECONDS)
    assert printed.strip() == str(folder)
    assert served == {f"{lesson.name}.ipynb" for lesson in lessons()}


def _served(process, log):
    """The files that the server offers, as soon as it answers; it tells its address a moment before it listens."""
    end = time.monotonic() + patience.SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        found = re.search(r"(http://127\.0\.0\.1:\d+)/lab\?token=(\w+)", log.read_text())
        if found:
            with contextlib.suppress(requests.ConnectionError):
                answer = requests.get(f"{found[1]}/api/contents", params={"token": found[2]}, timeout=patience.SECONDS)
                return {entry["name"] for entry in answer.json()["content"]}
        time.sleep(0.1)
    raise AssertionError(log.read_text())
