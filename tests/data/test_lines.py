"""Lines as they come: all that wait at once, whole, and nothing lost between two reads."""

import io
import os
import threading
import time

import pytest

from gatework.data.lines import waiting_lines

TEXT = "a,b\r\n1,2\r3,é\n\n4,😀"


def piped(*pieces, pause=0.0):
    """What is read of pieces that are written one after the other."""
    reading, writing = os.pipe()

    def write():
        with os.fdopen(writing, "wb") as file:
            for piece in pieces:
                file.write(piece)
                file.flush()
                time.sleep(pause)

    thread = threading.Thread(target=write)
    thread.start()
    with open(reading, encoding="utf-8") as file:
        blocks = list(waiting_lines(file))
    thread.join()
    return blocks


def test_lines_that_wait_come_together():
    assert piped(b"a\nb\nc\n") == [["a", "b", "c"]]


def test_a_line_comes_as_soon_as_it_is_whole():
    assert piped(b"a\n", b"b", b"c\nd\n", pause=0.05) == [["a"], ["bc", "d"]]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_pieces_of_any_size_give_the_same_lines(size, monkeypatch):
    monkeypatch.setattr("gatework.data.lines._PIECE", size)
    lines = [line for block in piped(TEXT.encode()) for line in block]
    assert lines == TEXT.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def test_bytes_that_are_no_text_come_as_surrogates():
    assert piped(b"ok\n\xff\n") == [["ok", "\udcff"]]


def test_what_is_no_file_of_the_system_gives_line_by_line():
    assert list(waiting_lines(io.StringIO("a\nb\n"))) == [["a\n"], ["b\n"]]
