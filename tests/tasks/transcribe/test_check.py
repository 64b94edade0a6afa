"""A dry look at recordings: what there is, what is wrong with which file, and what no two parts share."""

from __future__ import annotations

import json

import numpy as np

from gatework import tasks
from gatework.recipe import find_recipe
from support import recordings
from support.command_line import gatework


def found(folder, **changes):
    return tasks.get("transcribe").check(folder, find_recipe("transcribe").changed(**changes))


def folder_of(tmp_path, texts=None):
    return recordings.write_pairs(tmp_path / "a", texts or recordings.sentences(20))


def test_good_recordings_have_no_problem(tmp_path):
    findings = found(folder_of(tmp_path))
    assert not findings.problems
    said = "\n".join(findings.lines)
    assert "20 recordings, 0.2 minutes" in said
    assert "8,000 (20)" in said
    assert "4 different" in said


def test_everything_that_is_wrong_is_named_with_its_file(tmp_path):
    folder = folder_of(tmp_path)
    (folder / "0.wav").write_bytes(b"a text")
    (folder / "1.txt").write_text("room 101")
    (folder / "2.txt").write_text("ab" * 200)
    (folder / "3.txt").write_text("")
    (folder / "4.txt").write_text("50 %")
    loud = np.clip(20 * recordings.sound("ab cab"), -1, 1)
    recordings.soundfile.write(folder / "5.wav", loud, recordings.RATE)
    recordings.soundfile.write(folder / "6.wav", np.zeros(16000), recordings.RATE)
    recordings.soundfile.write(folder / "7.wav", np.tile(recordings.sound("ab"), 400), recordings.RATE)
    findings = found(folder)
    problems, remarks = "\n".join(findings.problems), "\n".join(findings.remarks)
    assert "1 recording cannot be read (--skip-bad leaves them out):" in problems
    assert "0.wav is no recording" in problems
    assert "2 texts with digits, the first at" in problems
    assert "% (1)" in problems
    assert "1 recording too short for the text" in problems
    assert ": 2.wav;" in problems
    assert "without a word, learnt as silence: 3.wav" in problems
    assert "1 recording of more than 120 s, too long to be learnt from (--skip-bad leaves them out): 7.wav" in problems
    assert "clipped (lower the gain): 5.wav" in remarks
    assert "almost all silence: 6.wav" in remarks


def test_texts_in_several_parts_are_counted(tmp_path):
    folder = folder_of(tmp_path, ["ab ba", "cab ac"] * 12)
    assert any("2 texts in several parts" in remark for remark in found(folder).remarks)


def test_the_command_infers_what_a_folder_of_recordings_is_for(tmp_path):
    code, out, _ = gatework("check", folder_of(tmp_path), "--json")
    assert code == 0
    assert json.loads(out)["task"] == "transcribe"
    (tmp_path / "a" / "0.txt").write_text("room 101")
    code, out, _ = gatework("check", "transcribe", tmp_path / "a")
    assert code == 1
    assert "Problems\n- 1 text with digits" in out


def test_a_table_of_another_task_is_looked_at_as_well(tmp_path):
    table = tmp_path / "opinions.csv"
    table.write_text("text,label\n" + "".join(f"good film {k},yes\nbad film {k},no\n" for k in range(30)))
    code, out, _ = gatework("check", table, "--text", "text", "--label", "label")
    assert code == 0
    assert "opinions: 38 for training" in out
    table.write_text("text,label\n")
    code, out, _ = gatework("check", "classify", table, "--text", "text", "--label", "label")
    assert code == 1
    assert "Problems" in out
