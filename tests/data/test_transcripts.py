"""Manifests and folders of recordings in every layout that people and toolkits write."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import soundfile

from gatework.data.features import FeatureSpec
from gatework.data.recordings import Recordings, names_apart, open_all, read_all
from gatework.data.sound_classes import read_sound_classes
from gatework.data.transcripts import Transcripts, Utterance, read_transcripts
from gatework.errors import DataError, UsageError
from gatework.options import DataOptions
from gatework.tasks._hearable import flac_of
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
    for mark in ("\t", "|", " "):
        (tmp_path / "prompts.txt").write_text(f"0{mark}ab: ba\n1{mark}cab\n")
        assert said(tmp_path / "prompts.txt") == said(tmp_path) == [("0.wav", "ab: ba", ""), ("1.wav", "cab", "")]
    (tmp_path / "prompts.txt").write_text("2 ab\n")
    with pytest.raises(DataError, match=r'line 1 is "2 ab", expected the name of a recording'):
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


@pytest.mark.parametrize("names", [("train.csv", "dev.csv", "test.csv"), ("train/metadata.csv", "test/metadata.csv")])
def test_a_table_for_each_part_is_no_table_of_the_training_part_alone(tmp_path, names):
    for number, name in enumerate(names):
        file = tmp_path / name
        write(file.parent, [TEXTS[0]])
        (file.parent / "0.wav").rename(file.parent / f"r{number}.wav")
        file.write_text(f"audio,text\nr{number}.wav,ab ba\n")
    found = read(tmp_path).utterances
    assert sorted(one.part for one in found) == sorted(
        ["train", "validation", "test"] if "dev.csv" in names else ["test", "train"]
    )
    assert all(one.audio.is_file() for one in found)
    write(tmp_path, TEXTS)
    (tmp_path / "metadata.csv").write_text("audio,text\n0.wav,ab ba\n1.wav,cab\n")
    assert [one.part for one in read(tmp_path).utterances] == ["", ""]


def test_classes_too_are_read_from_a_table_for_each_part(tmp_path):
    write(tmp_path, TEXTS)
    for number, part in enumerate(("train", "test")):
        (tmp_path / f"{part}.csv").write_text(f"audio,label\n{number}.wav,yes\n")
    listed = read_sound_classes(tmp_path, DataOptions())
    assert sorted((one.audio.name, one.part) for one in listed.utterances) == [("0.wav", "train"), ("1.wav", "test")]


def test_common_voices_tables_name_what_lies_in_clips(tmp_path):
    write(tmp_path / "clips", TEXTS)
    (tmp_path / "validated.tsv").write_text("client_id\tpath\tsentence\nann\t0.wav\tab ba\nbo\t1.wav\tcab\n")
    assert said(tmp_path) == [("0.wav", "ab ba", "ann"), ("1.wav", "cab", "bo")]
    assert all(one.audio.is_file() for one in read(tmp_path).utterances)


@pytest.mark.parametrize("written", [r"audio\0.wav", r"C:\voice\audio\0.wav", "/gone/audio/0.wav"])
def test_paths_of_another_system_or_machine(tmp_path, written):
    write(tmp_path / "audio", TEXTS)
    pl.DataFrame({"audio": [written], "text": ["ab"]}).write_csv(tmp_path / "list.csv")
    assert read(tmp_path / "list.csv").utterances[0].audio.is_file()


def test_librispeechs_lists_in_every_folder(tmp_path):
    for who in ("10", "11"):
        folder = tmp_path / who / "7"
        write(folder, TEXTS)
        for number in (0, 1):
            (folder / f"{number}.wav").rename(folder / f"{who}-7-{number}.wav")
        (folder / f"{who}-7.trans.txt").write_text(f"{who}-7-0 AB: BA\n{who}-7-1 CAB\n")
    assert said(tmp_path)[:2] == [("10-7-0.wav", "AB: BA", "10"), ("10-7-1.wav", "CAB", "10")]
    assert [who for _, _, who in said(tmp_path)] == ["10", "10", "11", "11"]


def test_sphinxs_transcription(tmp_path):
    write(tmp_path / "wav" / "ann", TEXTS)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "own.fileids").write_text("ann/0\nann/1\n")
    (tmp_path / "etc" / "own.transcription").write_text("<s> AB BA </s> (0)\nCAB (1)\n")
    assert said(tmp_path) == [("0.wav", "AB BA", ""), ("1.wav", "CAB", "")]
    assert all(one.audio.is_file() for one in read(tmp_path).utterances)


def test_texts_in_a_tree_of_their_own_and_with_other_endings(tmp_path):
    write(tmp_path / "a" / "wav", TEXTS)
    (tmp_path / "a" / "txt").mkdir()
    for number, text in enumerate(TEXTS):
        (tmp_path / "a" / "txt" / f"{number}.txt").write_text(text)
    assert [text for _, text, _ in said(tmp_path / "a")] == TEXTS
    folder = write_pairs(tmp_path / "b", TEXTS)
    for file in folder.glob("*.txt"):
        file.rename(file.with_suffix(".lab"))
    assert [text for _, text, _ in said(folder)] == TEXTS


EXCERPTS = {
    "srt": ("talk.srt", "1\n00:00:00,500 --> 00:00:01,250\n<i>ab</i>\nba\n\n2\n00:00:01,250 --> 00:00:02,000\ncab\n"),
    "vtt": (
        "talk.en.vtt",
        "WEBVTT\n\nNOTE no text\n\n00:00.500 --> 00:01.250 align:start\n<v ann>ab &amp; ba\n\n"
        "00:01.250 --> 00:01.500\n[laughter]\n\n00:01.250 --> 00:02.000\ncab",
    ),
    "labels": ("talk.txt", "0.500000\t1.250000\tab ba\n\\\t100\t200\n1,25\t2,0\tcab\n2\t2\ta moment\n"),
    "table": ("metadata.csv", "audio,start,end,text\ntalk.wav,0.5,1.25,ab ba\ntalk.wav,1.25,0:00:02,cab\n"),
    "offset": ("metadata.csv", "audio,offset,duration,text\ntalk.wav,0.5,0.75,ab ba\ntalk.wav,1.25,0.75,cab\n"),
    "onset": ("metadata.csv", "audio,onset,offset,text\ntalk.wav,0.5,1.25,ab ba\ntalk.wav,1.25,2,cab\n"),
}


@pytest.mark.parametrize("kind", [*EXCERPTS, "kaldi"])
def test_a_long_recording_is_read_in_the_excerpts_that_have_texts(tmp_path, kind):
    long = np.concatenate([np.full(4000, 0.1), np.full(6000, 0.2), np.full(6000, 0.3)]).astype(np.float32)
    soundfile.write(tmp_path / "talk.wav", long, 8000)
    if kind == "kaldi":
        (tmp_path / "wav.scp").write_text("long talk.wav\n")
        (tmp_path / "segments").write_text("u0 long 0.50 1.25\nu1 long 1.25 -1\n")
        (tmp_path / "text").write_text("u0 ab ba\nu1 cab\n")
    else:
        name, content = EXCERPTS[kind]
        (tmp_path / name).write_text(content)
    found = read(tmp_path).utterances
    assert [one.text.replace(" &", "") for one in found] == TEXTS
    recordings, _ = read_all(open_all(found), FeatureSpec(8000, 12))
    assert recordings.seconds.tolist() == pytest.approx([0.75, 0.75])
    assert [round(recording_level(one), 2) for one in open_all(found).values()] == [0.2, 0.3]
    assert names_apart(recordings)[0] == "talk-0.50-1.25.wav"
    assert len(flac_of(recordings, 1)) < len(flac_of(Recordings(*whole_of(tmp_path)), 0))
    assert recordings[[1]].excerpt(0) == recordings.excerpt(1) == found[1].excerpt
    before = read(tmp_path).fingerprint()
    assert Transcripts(tuple(replace(one, excerpt=None) for one in found), "", "", "").fingerprint() != before


def recording_level(recording) -> float:
    return float(np.concatenate(list(recording.blocks())).mean())


def whole_of(folder):
    spec = FeatureSpec(8000, 12)
    recordings, _ = read_all(open_all([Utterance(folder / "talk.wav", "")]), spec)
    return recordings.features, recordings.seconds, recordings.files, spec


def test_without_texts_a_long_recording_with_subtitles_is_whole(tmp_path):
    write(tmp_path, TEXTS)
    (tmp_path / "0.srt").write_text(EXCERPTS["srt"][1])
    assert [one.excerpt for one in read(tmp_path, has_texts=False).utterances] == [None, None]


def test_times_of_recordings_that_were_cut_already_are_told_and_not_used(tmp_path):
    write(tmp_path, TEXTS)
    (tmp_path / "metadata.csv").write_text("audio,start,end,text\n0.wav,60,61,ab ba\n1.wav,61,62,cab\n")
    found = read(tmp_path)
    assert [one.excerpt for one in found.utterances] == [None, None]
    assert found.remarks[0].endswith('the times in "start" and "end" are not used, as no recording stands in two rows.')
    (tmp_path / "metadata.csv").write_text("audio,start,text\n0.wav,0,ab ba\n0.wav,1,cab\n")
    assert "no column says where they end" in read(tmp_path).remarks[0]


def test_times_that_are_none_or_beyond_the_end_are_named_with_their_row(tmp_path):
    write(tmp_path, TEXTS)
    (tmp_path / "metadata.csv").write_text("audio,start,end,text\n0.wav,soon,1,ab ba\n0.wav,1,2,cab\n")
    with pytest.raises(DataError, match=r'row 2 has "soon" in the column "start", expected a time in seconds'):
        read(tmp_path)
    (tmp_path / "metadata.csv").write_text("audio,start,end,text\n0.wav,0,0.2,ab ba\n0.wav,500,900,cab\n")
    with pytest.raises(DataError, match=r"row 3: .*0\.wav lasts .* s and has no excerpt from 500\.00 to 900\.00 s"):
        open_all(read(tmp_path).utterances)
