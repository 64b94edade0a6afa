"""The report of a transcription: error rates of groups, confusions, and recordings to hear."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from gatework import training
from gatework.reports.run import write_run_report
from gatework.tasks._section import Answered, AnsweredEntry
from gatework.tasks.transcribe import report
from gatework.tasks.transcribe.heard import worst
from gatework.tasks.transcribe.metrics import aligned, answers_of
from support import recordings

SAID = ["one two three", "four", "five six", ""]
WRITTEN = ["one too three", "", "five six", "ah"]


def answered() -> Answered:
    answers = answers_of(SAID, WRITTEN, WRITTEN)
    columns = {"audio": list("abcd"), "seconds": [1.0] * 4, "speaker": list("xyxy"), "reference": SAID}
    return Answered((AnsweredEntry("lstm", True, (answers,)),), pl.DataFrame(columns), {}, "WER")


def test_words_are_laid_side_by_side():
    assert aligned("one two three", "one too three") == [("one", "one"), ("two", "too"), ("three", "three")]
    assert aligned("four", "") == [("four", "")]
    assert aligned("", "ah so") == [("", "ah"), ("", "so")]


def test_groups_have_their_rates_with_an_interval_around_them():
    groups = report.sections(answered())[0].context["groups"]
    by_name = {group.name: group for group in groups}
    assert by_name["all recordings"].wer == pytest.approx(3 / 6)
    assert by_name["x"].wer == pytest.approx(1 / 5)
    assert by_name["y"].wer == pytest.approx(2 / 1)
    assert all(group.low <= group.wer <= group.high for group in groups)
    assert [group.words for group in groups if "word" in group.name] == [1, 5]


def test_confusions_are_counted():
    context = report.sections(answered())[1].context
    assert context["taken"] == [("two", "too", 1)]
    assert context["missing"] == [("four", 1)]
    assert context["added"] == [("ah", 1)]


def test_the_worst_come_first_and_a_right_one_last():
    assert worst(answers_of(SAID, WRITTEN, WRITTEN), np.ones(4)) == [1, 3, 0, 2]
    assert worst(answers_of(SAID, WRITTEN, WRITTEN), np.array([1, 60, 1, 1])) == [3, 0, 2]


def test_a_runs_page_plays_its_recordings(tmp_path):
    folder = recordings.write_pairs(tmp_path / "a", recordings.sentences(24))
    recipe = recordings.small(epochs=1, apart="recordings", learning_curve=True)
    run = training.train("transcribe", folder, out=tmp_path / "run", recipe=recipe, threads=1)
    heard = pl.read_parquet(run.path / "heard.parquet")
    assert all(sound[:4] == b"fLaC" for sound in heard["sound"])
    page = write_run_report(run.path).read_text()
    assert page.count("<audio controls") == len(heard) > 0
    assert "data:audio/flac;base64," in page
    assert "What to record next" in page
    assert "of the same kind" in page
    assert "media-src data:" in page
