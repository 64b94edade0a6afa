import numpy as np
import polars as pl
import pytest

from gatework.data.sets import spoken_digits
from gatework.data.sets.spoken_digits import VOICES, WORDS, folder
from gatework.errors import DataError, UsageError
from gatework.recipe import find_recipe
from gatework.tasks import load


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEWORK_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield folder()


def test_every_voice_is_in_one_part_and_every_digit_is_said_in_each_of_them(made):
    listed = pl.read_csv(made / "metadata.csv")
    assert len(listed) == sum(voice.recordings for voice in VOICES) == len(list(made.glob("*.flac")))
    assert listed.group_by("speaker").agg(pl.col("split").n_unique())["split"].to_list() == [1] * len(VOICES)
    said = listed.select("split", pl.col("text").str.split(" ")).explode("text").unique()
    assert said.group_by("split").len()["len"].to_list() == [len(WORDS)] * 3
    assert folder() == made, "they are made once"


def test_a_higher_voice_says_the_same_in_less_time(made):
    import soundfile

    listed = pl.read_csv(made / "metadata.csv")
    digits = dict.fromkeys(VOICES, 0.0)
    for voice in VOICES:
        rows = listed.filter(pl.col("speaker") == voice.name)
        words = rows["text"].str.split(" ").list.len().sum()
        digits[voice] = sum(soundfile.info(made / name).duration for name in rows["audio"]) / words
    pitches = np.array([voice.pitch for voice in VOICES])
    # What a digit takes goes as one over the pitch (1.8 here), but for pauses, which do not.
    assert digits[VOICES[int(pitches.argmin())]] / digits[VOICES[int(pitches.argmax())]] > 1.3


def test_the_voice_and_its_licence_are_credited_in_every_run(made):
    dataset = load("spoken-digits", find_recipe("spoken-digits"))
    assert dataset.provenance.licence == spoken_digits.LICENCE
    assert "Allison Smith" in spoken_digits.LICENCE
    readme = (spoken_digits._HOME / "README.md").read_text(encoding="utf-8")
    assert "creativecommons.org/licenses/by-sa/3.0" in readme
    assert set(dataset.test.speakers) == {voice.name for voice in VOICES if voice.part == "test"}


def test_another_set_is_no_recordings():
    with pytest.raises(UsageError, match='"waves" holds no recordings'):
        load("waves", find_recipe("spoken-digits"))


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GATEWORK_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match="name another folder with GATEWORK_CACHE"):
        folder()
