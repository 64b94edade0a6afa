import os

import polars as pl
import pytest

from gatework.data._panic import panics_kept_back
from gatework.data.tables import _parquet
from gatework.errors import DataError, RunError
from gatework.training.run import read_table


def damaged(tmp_path):
    """A Parquet file with one bit of a page turned, over which polars panics in a thread of its own."""
    path = tmp_path / "rows.parquet"
    pl.DataFrame({"a": list(range(500)), "b": [f"x{k}" for k in range(500)]}).write_parquet(path)
    content = path.read_bytes()
    for at, bit in ((1502, 0), (2078, 5)):
        turned = content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]
        try:
            pl.read_parquet(turned)
        except pl.exceptions.PanicException:
            path.write_bytes(turned)
            return path
        except pl.exceptions.PolarsError:
            continue
    pytest.skip("this release of polars panics over none of these")


def test_of_a_damaged_parquet_file_only_the_sentence_is_said(tmp_path, capfd):
    path = damaged(tmp_path)
    capfd.readouterr()
    with pytest.raises(RunError, match="cannot be read"):
        read_table(path)
    with pytest.raises(DataError, match="if it is cut off"):
        _parquet(path.read_bytes(), path)
    assert capfd.readouterr().err == ""


def test_what_others_say_meanwhile_comes_afterwards(capfd):
    with panics_kept_back():
        os.write(2, b"said")
    assert capfd.readouterr().err == "said"
