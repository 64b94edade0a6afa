import gzip
import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from gatework.data import _content
from gatework.data._content import as_utf8, existing, file_content
from gatework.data._delimited import read_delimited
from gatework.data.reading import Reading
from gatework.errors import DataError

HERE = Path("x.csv")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("text,label\ncafé,y\n", "cp1252"),
        ("temp °C\n5\n", "cp1252"),
        ("дата;значение\nхороший фильм;1\nплохой фильм;0\n", "cp1251"),
        ("text,label\n" + "これは文章です。犬と猫。,y\n" * 9, "cp932"),
        ("a,b\n1,2\n", "utf-16"),
        ("a,b\n1,2\n", "utf-16-le"),
        ("a,ü\n1,2\n", "utf-8-sig"),
    ],
)
def test_text_in_another_encoding_is_read(text, encoding) -> None:
    content, _, notes = as_utf8(text.encode(encoding), HERE)
    assert content.decode() == text
    assert bool(notes) == encoding.startswith("cp")


def test_damaged_utf8_is_not_taken_for_another_encoding() -> None:
    with pytest.raises(DataError, match=r"x.csv, row 2 .* byte 0xe9 is not valid UTF-8"):
        as_utf8("naïve\n".encode() + b"caf\xe9\n", HERE)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(_content, "_LEAST_ROOM", 1 << 20)
    monkeypatch.setattr(_content, "_available_memory", lambda: 1 << 20)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"0,0\n" * 20_000_000, compresslevel=1))
    with pytest.raises(DataError, match=r"unpacks to more than 4 MB, and about 1 MB can be read"):
        file_content(path)


@pytest.mark.parametrize(("row", "is_refused"), [(b"0,0\n", True), (b"0,%s\n" % (b"0" * 37), False)])
def test_short_fields_are_counted_before_they_take_the_memory(monkeypatch, row, is_refused) -> None:
    monkeypatch.setattr(_content, "_LEAST_ROOM", 0)
    monkeypatch.setattr(_content, "_available_memory", lambda: 60 * 50_000)
    content = b"a,b\n" + row * (400_000 // len(row))
    with pytest.raises(DataError, match="about 200,002 fields, and about 50,000 can") if is_refused else nullcontext():
        assert len(read_delimited(content, "x.csv", Reading()).frame) == 400_000 // len(row)


def test_gzip_members_in_a_row_are_one_file(tmp_path) -> None:
    path = tmp_path / "two.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n") + gzip.compress(b"1,2\n"))
    assert file_content(path) == b"a,b\n1,2\n"


def test_what_is_no_file_is_not_waited_for(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path, sentence in ((tmp_path / "pipe.csv", "a pipe or a device"), (Path("/dev/zero"), "a pipe or a device")):
        with pytest.raises(DataError, match=sentence):
            file_content(path)
    with pytest.raises(DataError, match="is a folder"):
        file_content(tmp_path)
    with pytest.raises(DataError, match="name too long"):
        existing(tmp_path / ("x" * 300 + ".csv"))


def test_zeros_at_the_end_of_a_file_are_nothing(tmp_path) -> None:
    assert as_utf8(b"a,b\n1,2\n" + bytes(5000), Path("x.csv"))[0] == b"a,b\n1,2\n"
