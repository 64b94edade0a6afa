"""Lines as they come: all that wait at once, whole, and nothing lost between two reads."""

import csv
import io
import os
import threading

import pytest

from gatework.data.lines import LineReader, waiting_lines
from gatework.errors import DataError

TEXT = "a,b\r\n1,2\r3,é\n\n4,😀"


def piped(content):
    """What is read of a pipe that holds this."""
    reading, writing = os.pipe()

    def write():
        with os.fdopen(writing, "wb") as file:
            file.write(content)

    thread = threading.Thread(target=write)
    thread.start()
    with open(reading, encoding="utf-8") as file:
        blocks = list(waiting_lines(file))
    thread.join()
    return blocks


def test_lines_that_wait_come_together():
    assert piped(b"a\nb\nc\n") == [["a", "b", "c"]]


def test_a_line_comes_as_soon_as_it_is_whole():
    reading, writing = os.pipe()
    with open(reading, encoding="utf-8") as file, os.fdopen(writing, "wb", buffering=0) as pipe:
        blocks = waiting_lines(file)
        pipe.write(b"a\n")
        assert next(blocks) == ["a"]
        pipe.write(b"b")
        pipe.write(b"c\nd\n")
        assert next(blocks) == ["bc", "d"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_pieces_of_any_size_give_the_same_lines(size, monkeypatch):
    monkeypatch.setattr("gatework.data.lines._PIECE", size)
    lines = [line for block in piped(TEXT.encode()) for line in block]
    assert lines == TEXT.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def test_bytes_that_are_no_text_come_as_surrogates():
    assert piped(b"ok\n\xff\n") == [["ok", "\udcff"]]


def test_what_is_no_file_of_the_system_gives_line_by_line():
    assert list(waiting_lines(io.StringIO("a\nb\n"))) == [["a\n"], ["b\n"]]


def test_a_header_that_comes_again_is_no_row():
    reader = LineReader()
    lines = ("day, y", "1,2", "day,y ", "day,3")
    assert [row and row[1] for row in map(reader.read, lines)] == [
        None,
        {"day": "1", "y": "2"},
        None,
        {"day": "day", "y": "3"},
    ]
    alone = LineReader()
    assert [alone.read(line) is None for line in ("word", "word")] == [True, False]


def test_a_field_may_be_longer_than_the_csv_module_takes():
    csv.field_size_limit(131_072)
    reader = LineReader()
    assert reader.read("text,label") is None
    assert reader.read(f"{'a' * 200_000},good") == ("line 2", {"text": "a" * 200_000, "label": "good"})


@pytest.mark.parametrize(
    ("encoding", "kept", "name"),
    [("cp1252", None, "München"), ("cp1252", "utf-8", "Größe"), ("cp1251", "cp1251", "Москва")],
)
def test_lines_are_read_in_the_encoding_that_tables_are(encoding, kept, name):
    reader = LineReader(encoding=kept)
    lines = [line for block in piped(f"a,b\n1,2\n3,{name}\n4,{name}\n".encode(encoding)) for line in block]
    rows = [row[1]["b"] for row in map(reader.read, lines) if row]
    assert rows == ["2", name, name]
    assert reader.notes == [
        f"standard input, line 3 is not UTF-8 and was read as {encoding}, as lines like it will be."
    ]


def test_a_stream_in_utf_8_of_a_run_that_learnt_from_another_encoding_is_read():
    reader = LineReader(encoding="cp1252")
    assert [reader.read(line) for line in ("a,b", "1,é")] == [None, ("line 2", {"a": "1", "b": "é"})]
    assert not reader.notes


@pytest.mark.parametrize(("encoding", "bom"), [("utf-16", ""), ("utf-16-le", ""), ("utf-16-be", "\ufeff")])
def test_a_stream_of_two_bytes_a_letter_names_the_way_out(encoding, bom):
    reader = LineReader(columns=("a", "b"))
    lines = [line for block in piped(f"{bom}a,b\n1,2\n".encode(encoding)) for line in block]
    with pytest.raises(DataError, match="line 1 is not UTF-8 and looks like UTF-16; convert it first, by iconv -f utf"):
        list(map(reader.read, lines))


def test_damaged_utf_8_is_refused_with_the_way_out():
    with pytest.raises(DataError, match="line 1: byte 0xff is not valid UTF-8; name its encoding by --encoding"):
        LineReader().read("é\udcff")


def test_a_header_that_comes_again_is_told_once():
    reader = LineReader()
    assert len([line for line in ["a,b", "1,2", "a,b", "3,4", "a,b"] if reader.read(line)]) == 2
    assert reader.notes == ["standard input, line 3 repeats the header and was left out, as lines like it will be."]
