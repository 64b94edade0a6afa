"""CSV files and JSON lines read block by block, against Python's own readers of all of it."""

from __future__ import annotations

import csv
import io
import json

import polars as pl
import pytest

from gatework.data.store import text_blocks as module
from gatework.data.store.text_blocks import LINE, ROW, csv_blocks, evenly, json_blocks, whole_rows
from gatework.data.tables import read_table
from gatework.errors import DataError

CELLS = ("1", '"two\nlines"', '"a ""quoted"" word; and more"', "", "é")


def table(rows: int, end: str) -> str:
    """A header, again in the middle, and rows of cells with line breaks, quotes and blanks, some without a value."""
    lines = [";".join(CELLS[(7 * k + c) % 5] if k % 7 else "" for c in range(3)) for k in range(rows)]
    return end.join(["a; b;c", *lines[: rows // 2], "a; b;c", *lines[rows // 2 :], ""])


@pytest.mark.parametrize("header", ['\ufeff"a",b', "\u200ba, b", ",a", "a,,b,"])
def test_columns_of_blocks_are_called_as_those_of_the_whole_file(tmp_path, monkeypatch, header):
    monkeypatch.setattr(module, "_BLOCK", 16)
    row = ",".join("x" for _ in header.split(","))
    (tmp_path / "x.csv").write_text(f"{header}\n" + f"{row}\n" * 20, encoding="utf-8")
    whole = read_table(tmp_path / "x.csv").frame
    frames = list(csv_blocks(tmp_path / "x.csv", ",", 0))
    assert len(frames) > 1
    assert pl.concat(frames).drop(ROW, LINE).equals(whole)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("size", [1, 40, 1 << 20])
def test_blocks_hold_the_rows_of_the_whole_file(tmp_path, monkeypatch, end, size):
    monkeypatch.setattr(module, "_BLOCK", size)
    (tmp_path / "t.csv").write_bytes(f"above{end}{table(60, end)}".encode())
    frames = list(evenly(csv_blocks(tmp_path / "t.csv", ";", 1), 10))
    known = [row for row in csv.reader(io.StringIO(table(60, end), newline=""), delimiter=";") if any(row)]
    read = pl.concat(frames)
    places, read = read.select(ROW, LINE), read.drop(ROW, LINE)
    assert read.columns == [name.strip() for name in known[0]]
    assert [[value or "" for value in row] for row in read.rows()] == [row for row in known if row != known[0]]
    assert {frame.height for frame in frames[:-1]} == {10}
    whole = read_table(tmp_path / "t.csv")
    names = [f"row {row}" if row == line else f"row {row} (line {line} of the file)" for row, line in places.rows()]
    assert names == [whole.row(at) for at in range(len(whole))]


@pytest.mark.parametrize("size", [1, 60, 1 << 20])
def test_blocks_of_json_lines_hold_those_of_the_whole_file_and_a_line_that_is_none_is_named(
    tmp_path, monkeypatch, size
):
    monkeypatch.setattr(module, "_BLOCK", size)
    rows = [{"a": "é" * k, **({"b": k} if k % 3 else {})} for k in range(12)]
    lines = [json.dumps(row) for row in rows]
    lines[5:5] = ["", "  "]
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(lines))
    read = pl.concat(json_blocks(path))
    assert read[ROW].to_list() == [number for number, line in enumerate(lines, start=1) if line.strip()]
    read = read.drop(ROW, LINE).rows()
    assert read == [(row["a"], row.get("b")) for row in rows]
    path.write_text("\n".join([*lines, '{"a": "a stray " quote", "b": 1}', lines[0]]))
    with pytest.raises(DataError, match=r"t\.jsonl, line 15: a JSON object was expected, found Expecting ','"):
        list(json_blocks(path))


def test_no_more_than_a_block_is_read_before_its_rows_are_given():
    file = io.BytesIO(table(1000, "\n").encode())
    blocks = whole_rows(file, 4000)
    first = next(blocks)
    assert file.tell() == 4000
    assert 3900 < len(first) <= 4000  # no row here has 100 bytes
    assert b"".join([first, *blocks]) == file.getvalue()


def test_a_row_longer_than_a_block_comes_whole():
    content = b"a\n" + b'"' + b"x\n" * 500 + b'"\nlast'
    assert list(whole_rows(io.BytesIO(content), 16)) == [b"a\n", content[2:-4], b"last"]
