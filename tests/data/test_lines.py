"""Lines as they come: all that wait at once, whole, and nothing lost between two reads."""

import csv
import io
import os
import threading

import pytest

from gatework.data.lines import LineReader, waiting_lines

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
