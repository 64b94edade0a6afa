"""A table on disk is read part by part: every row once, in order, named by its file."""

import polars as pl
import pytest

from gatework.data.reading import Reading
from gatework.data.store import sources, text_blocks
from gatework.data.store.sources import TableSource, is_answered_in_parts
from gatework.data.tables import is_parquet_folder, read_table
from gatework.errors import DataError


@pytest.fixture
def folder(tmp_path):
    for name, rows in (("year=2023/a", range(5)), ("year=2024/a", range(5, 7)), ("year=2024/b", range(7, 12))):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        pl.DataFrame({"v": list(rows)}).write_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def test_every_row_comes_once_and_in_order_in_small_parts(folder, monkeypatch):
    monkeypatch.setattr(sources, "ROWS", 2)
    parts = list(TableSource.of(folder, Reading()).parts())
    assert [value for part in parts for value in part.frame["v"]] == list(range(12))
    assert max(map(len, parts)) == 2
    assert parts[0].frame["year"].to_list() == ["2023", "2023"]
    assert parts[1].row(0) == "row 3"
    assert parts[-1].where.endswith("b.parquet")


def test_what_is_no_such_folder(folder, tmp_path):
    assert is_parquet_folder(folder)
    (tmp_path / "empty").mkdir()
    assert not is_parquet_folder(tmp_path / "empty")
    assert not is_parquet_folder(folder / "year=2024" / "a.parquet")


def test_a_broken_file_is_named(folder):
    (folder / "year=2024" / "b.parquet").write_bytes(b"PAR1 this is none")
    with pytest.raises(DataError, match=r"b\.parquet cannot be read"):
        list(TableSource.of(folder, Reading()).parts())
    with pytest.raises(DataError, match=r"b\.parquet cannot be read"):
        TableSource.of(folder, Reading()).rows()


def test_a_large_file_is_answered_in_parts_where_it_is_in_utf8(tmp_path, monkeypatch):
    for name, encoding in (("a.csv", "utf-8"), ("b.csv", "latin-1")):
        (tmp_path / name).write_text("text,label\n" + "Grüße aus Köln,x\n" * 20, encoding=encoding)
    assert not is_answered_in_parts(tmp_path / "a.csv", Reading())
    monkeypatch.setattr(sources, "_MANY", 100)
    assert is_answered_in_parts(tmp_path / "a.csv", Reading())
    assert not is_answered_in_parts(tmp_path / "b.csv", Reading())
    assert not is_answered_in_parts(tmp_path / "a.csv", Reading(encoding="latin-1"))
    (tmp_path / "c.jsonl").write_text('{"text": "a", "label": "x"}\n' * 20)
    assert not is_answered_in_parts(tmp_path / "c.jsonl", Reading())


PLAIN = "text,label\nhe said hi,good\n"
NOT_IN_PIECES = {
    "old Macintosh's ends of lines": (PLAIN.replace("\n", "\r") * 20).encode(),
    "UTF-16": (PLAIN * 20).encode("utf-16"),
    "UTF-16 without a mark": (PLAIN * 20).encode("utf-16-le"),
    "quotes behind backslashes": (PLAIN + '"he said \\"hi\\", good",good\n' * 20).encode(),
    "spaces before quotes": (PLAIN + 'a, "b, c"\n' * 20).encode(),
}


@pytest.mark.parametrize("content", NOT_IN_PIECES.values(), ids=NOT_IN_PIECES)
def test_what_reads_otherwise_in_pieces_is_read_as_a_whole(content, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_MANY", 100)
    monkeypatch.setattr(sources, "_HEAD", 200)
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    assert not is_answered_in_parts(file, Reading())
    with pytest.raises(DataError, match=r"a\.csv .* piece by piece"):
        TableSource.of(file, Reading())


def test_a_line_longer_than_what_is_looked_at_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_MANY", 100)
    monkeypatch.setattr(sources, "_HEAD", 200)
    (tmp_path / "a.csv").write_text("text\n".rjust(300, "a"))
    assert is_answered_in_parts(tmp_path / "a.csv", Reading())


def test_headers_that_come_again_are_counted_over_all_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(text_blocks, "_BLOCK", 32)
    (tmp_path / "a.csv").write_text(("text,label\n" + "fine,x\n" * 9) * 3)
    source = TableSource.of(tmp_path / "a.csv", Reading())
    for _ in range(2):
        assert sum(map(len, source.parts())) == 27
        assert source.notes == ("2 rows, the first of them row 11, repeat the header and were left out.",)


def test_rows_of_large_files_are_called_as_those_of_small_ones(tmp_path, monkeypatch):
    rows = [f'2024-01-{k:02d},"{k}\n"' if k % 5 else "" for k in range(1, 30)]
    text = "\n".join(["A title", "", "day,y", ",kWh", *rows, "day,y", "", "n = 9,", ""])
    (tmp_path / "a.csv").write_text(text)
    whole = read_table(tmp_path / "a.csv")
    for block, most in ((400, 7), (1 << 20, 100)):
        monkeypatch.setattr(text_blocks, "_BLOCK", block)
        source = TableSource.of(tmp_path / "a.csv", Reading())
        parts = list(source.parts(most))
        names = [part.row(at) for part in parts for at in range(len(part))]
        assert names == [whole.row(at) for at in range(len(whole))]
        assert pl.concat(part.frame for part in parts).equals(whole.frame)
        assert source.notes == whole.notes[1:]
        assert [part.row(0) for part in source.parts(most, ["y"])] == [part.row(0) for part in parts]


def test_a_row_of_a_large_file_that_does_not_fit_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(text_blocks, "_BLOCK", 100)
    (tmp_path / "a.csv").write_text('a,b\n"x\ny",1\n' + "z,2\n" * 100 + "z,2,3\n" + "z,2\n" * 100)
    with pytest.raises(DataError, match=r"row 103 \(line 104 of the file\): 3 fields where the header has 2"):
        list(TableSource(tmp_path / "a.csv", Reading(separator=",")).parts())
