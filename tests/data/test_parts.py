"""A folder of Parquet files is read part by part: every row once, in order, named by its file."""

import polars as pl
import pytest

from gatework.data.parts import is_parquet_folder, parquet_parts
from gatework.errors import DataError


@pytest.fixture
def folder(tmp_path):
    for name, rows in (("year=2023/a", range(5)), ("year=2024/a", range(5, 7)), ("year=2024/b", range(7, 12))):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        pl.DataFrame({"v": list(rows)}).write_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def test_every_row_comes_once_and_in_order_in_small_parts(folder, monkeypatch):
    monkeypatch.setattr("gatework.data.parts.ROWS", 2)
    parts = list(parquet_parts(folder))
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
    with pytest.raises(DataError, match=r"b\.parquet cannot be read as Parquet"):
        list(parquet_parts(folder))
