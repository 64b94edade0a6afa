"""Manifests and folders of recordings in every layout that people and toolkits write."""

from __future__ import annotations

import polars as pl
import pytest

from gatework.data.recordings import open_all
from gatework.data.transcripts import read_transcripts
from gatework.errors import DataError, UsageError
from gatework.options import DataOptions
from support.recordings import write, write_pairs

TEXTS = ["ab ba", "cab"]


def read(source, **options):
    return read_transcripts(source, DataOptions(), **options)


def said(source, **options) -> list[tuple[str, str, str]]:
    return [(one.audio.name, one.text, one.speaker) for one in read(source, **options).utterances]


def test_recordings_with_a_text_file_each(tmp_path):
    assert said(write_pairs(tmp_path / "a", TEXTS)) == [("0.wav", "ab ba", ""), ("1.wav", "cab", "")]
    (tmp_path / "a" / "1.txt").unlink()
    with pytest.raises(DataError, match=r"1 of 2 recordings of .* have no text, the first of them 1\.wav"):
        read(tmp_path / "a")


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_a_table_beside_the_recordings(tmp_path, ending):
    write(tmp_path, TEXTS)
    frame = pl.DataFrame(
        {"path": ["0.wav", "1"], "sentence": TEXTS, "client_id": ["ann", "bo"], "split": ["train", "dev"]}
    )
    file = tmp_path / f"list.{ending}"
    writers = {"csv": frame.write_csv, "jsonl": frame.write_ndjson, "parquet": frame.write_parquet}
    frame.write_csv(file, separator="\t") if ending == "tsv" else writers[ending](file)
    assert said(file) == [("0.wav", "ab ba", "ann"), ("1.wav", "cab", "bo")]
    assert [one.part for one in read(file).utterances] == ["train", "validation"]


def test_a_folder_is_read_by_the_table_in_it(tmp_path):
    write(tmp_path / "home" / "clips", TEXTS, ".flac")
    pl.DataFrame({"audio": ["clips/0.flac", "clips/1.flac"], "text": TEXTS}).write_csv(
        tmp_path / "home" / "metadata.csv"
    )
    found = read(tmp_path / "home")
    assert (found.name, [one.text for one in found.utterances]) == ("home", TEXTS)


def test_columns_of_other_names_must_be_named(tmp_path):
    write(tmp_path, TEXTS)
    frame = pl.DataFrame({"sound": [str(tmp_path / "0.wav")], "words": ["ab"]})
    with pytest.raises(UsageError, match="--audio: there is sound, words"):
        read(frame)
    found = read_transcripts(frame, DataOptions(text="words"), audio="sound")
    assert found.utterances[0].text == "ab"


def test_ljspeech_with_bars_and_its_third_column(tmp_path):
    write(tmp_path / "wavs", TEXTS)
    (tmp_path / "metadata.csv").write_text("0|No. 1|number one\n1|cab|cab\n")
    assert said(tmp_path) == [("0.wav", "number one", ""), ("1.wav", "cab", "")]


def test_kaldis_files(tmp_path):
    write(tmp_path, TEXTS)
    (tmp_path / "wav.scp").write_text("u0 0.wav\nu1 1.wav\n")
    (tmp_path / "text").write_text("u1 cab\nu0 ab ba\n")
    (tmp_path / "utt2spk").write_text("u0 ann\nu1 bo\n")
    assert said(tmp_path) == [("0.wav", "ab ba", "ann"), ("1.wav", "cab", "bo")]
    (tmp_path / "wav.scp").write_text("u0 sox 0.mp3 -t wav - |\n")
    with pytest.raises(DataError, match="u0 is a command and no file, and commands are not run"):
        read(tmp_path)


def test_lines_of_names_and_texts(tmp_path):
    write(tmp_path, TEXTS)
    (tmp_path / "prompts.txt").write_text("; Asterisk's list\n0: ab: ba\n1:cab\n")
    assert said(tmp_path / "prompts.txt") == said(tmp_path) == [("0.wav", "ab: ba", ""), ("1.wav", "cab", "")]
    (tmp_path / "prompts.txt").write_text("0 ab\n")
    with pytest.raises(DataError, match=r'line 1 is "0 ab", expected the name of a recording'):
        read(tmp_path)


def test_a_recording_that_is_not_there_is_named_with_its_row(tmp_path):
    (tmp_path / "list.csv").write_text("audio,text\nmissing.wav,ab\nmissed.wav,ab\n")
    listed, skipped = read(tmp_path / "list.csv").utterances, list[str]()
    with pytest.raises(DataError, match=r"list\.csv, row 2: .*missing\.wav is not there"):
        open_all(listed)
    assert not open_all(listed, skipped)
    assert [one.partition(": ")[0][-5:] for one in skipped] == ["row 2", "row 3"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no recordings"):
        read(tmp_path / "empty")


def test_what_a_system_has_put_beside_recordings_is_none(tmp_path):
    folder = write_pairs(tmp_path / "a", TEXTS)
    (folder / "1.txt").rename(folder / "1.TXT")
    for place in ("._0.wav", "__MACOSX/0.wav", ".trash/0.wav"):
        (folder / place).parent.mkdir(exist_ok=True)
        (folder / place).write_bytes(b"none")
    assert [(name, text) for name, text, _ in said(folder)] == [("0.wav", "ab ba"), ("1.wav", "cab")]
    assert not read(folder).remarks


def test_recordings_of_a_telephone_are_named_with_the_way_to_convert_them(tmp_path):
    folder = write_pairs(tmp_path / "a", TEXTS)
    (folder / "0.wav").rename(folder / "0.m4a")
    (remark,) = read(folder).remarks
    assert remark == "1 recording is in a format that is not read, the first of them 0.m4a: ffmpeg -i 0.m4a 0.wav."
    assert [name for name, _, _ in said(folder)] == ["1.wav"]
    (folder / "1.wav").rename(folder / "1.m4a")
    with pytest.raises(DataError, match=r"holds no recordings .*2 recordings are in .* the first of them 0\.m4a"):
        read(folder)


def test_the_fingerprint_changes_with_a_text_and_with_a_sound(tmp_path):
    folder = write_pairs(tmp_path / "a", TEXTS)
    before = read(folder).fingerprint()
    assert read(folder).fingerprint() == before
    (folder / "0.txt").write_text("other")
    changed = read(folder).fingerprint()
    write(folder, ["ba", "cab"])
    assert len({before, changed, read(folder).fingerprint()}) == 3
