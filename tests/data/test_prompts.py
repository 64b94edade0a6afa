"""Recording sentences: takes, takes again, going on, and what is said of a bad take, with a recorder of the test's."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from gatework.data.prompts import read_prompts, record_prompts, remark_on
from gatework.data.transcripts import read_transcripts
from gatework.errors import DataError
from gatework.options import DataOptions
from support.command_line import gatework

soundfile = pytest.importorskip("soundfile")
RATE = 8000


class Tape:
    """A recorder whose takes are two seconds of tones, each louder than the one before."""

    rate = RATE

    def __init__(self) -> None:
        self.takes = 0

    def take(self, until):
        """The next tone."""
        until()
        self.takes += 1
        return (0.1 * self.takes * np.sin(np.arange(2 * RATE))).astype(np.float32)


class Person:
    """Someone who answers what is asked from a list."""

    def __init__(self, answers: str) -> None:
        self.answers, self.seen = iter(answers.split(",")), []

    def ask(self, question: str) -> str:
        """The next answer."""
        return next(self.answers)


def peak(path) -> float:
    return round(float(np.abs(soundfile.read(path)[0]).max()), 1)


def test_sentences_are_recorded_taken_again_left_out_and_gone_on_with(tmp_path):
    (tmp_path / "prompts.txt").write_text('one two\n\nthree, "four"\nfive\none two\nsix\n')
    prompts, tape = read_prompts(tmp_path / "prompts.txt"), Tape()
    assert prompts == ["one two", 'three, "four"', "five", "six"]
    # The first sentence is taken twice, the second is left out, at the third the person stops.
    person = Person(",,r,,,,s,q")
    assert record_prompts(prompts, tmp_path / "a", tape, person.ask, person.seen.append) == 1
    person = Person(",,,q")
    assert record_prompts(prompts, tmp_path / "a", tape, person.ask, person.seen.append) == 2
    assert person.seen[0] == '\n2 of 4: three, "four"'
    said = read_transcripts(tmp_path / "a", DataOptions()).utterances
    assert [one.text for one in said] == ["one two", 'three, "four"']
    assert [peak(one.audio) for one in said] == [0.2, 0.3]
    others = ["text,more\nx.wav,a,b", "text\nx.wav,a", "text\n../../00001.wav,a", "text\n\u00b2.wav,a"]
    for content in (*others, f"text\n{'9' * 5000}.wav,a", "text\n1.wav", "text\n1.wav,a,b", f"text\n{'x' * 200_000},a"):
        (tmp_path / "a" / "metadata.csv").write_text(f"audio,{content}\n")
        with pytest.raises(DataError, match="not written by gatework record; choose another --out"):
            record_prompts(prompts, tmp_path / "a", tape, person.ask, person.seen.append)


def test_a_bad_take_is_told_from_a_good_one():
    tone = np.sin(np.arange(2 * RATE)).astype(np.float32)
    assert remark_on(0.3 * tone, RATE, "a sentence") == ""
    assert remark_on(0.3 * tone, RATE, "a sentence " * 10).startswith("too short")
    assert remark_on(0.003 * tone, RATE, "a sentence").startswith("very soft")
    assert remark_on(np.clip(4 * tone, -1, 1), RATE, "a sentence").startswith("clipped")


@pytest.mark.skipif(find_spec("sounddevice") is not None, reason="sounddevice is installed")
def test_without_sounddevice_the_command_names_its_extra(tmp_path):
    (tmp_path / "prompts.txt").write_text("one\n")
    code, _, error = gatework("record", tmp_path / "prompts.txt", "--out", tmp_path / "a")
    assert code == 2
    assert 'pip install "gatework[record]"' in error
