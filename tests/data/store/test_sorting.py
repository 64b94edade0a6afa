"""Rows in any order come out by series, moment and place, however many series there are."""

import numpy as np
import pytest

from gatework.data.store import sorting
from gatework.data.store.sorting import SortedRows, rows_of


@pytest.mark.parametrize("is_by_time", [True, False])
def test_rows_come_out_in_their_order(is_by_time, tmp_path, monkeypatch):
    monkeypatch.setattr(sorting, "RUN", 300)
    random, count = np.random.default_rng(0), 1000
    # More series than 16 bits tell apart, of which some have equal moments.
    codes, moments = random.choice([0, 3, 65_536, 65_539, 200_000], count), random.integers(0, 80, count)
    moments = np.sort(moments) if is_by_time else moments
    rows = SortedRows(tmp_path / "rows")
    values = np.where(random.random((count, 2)) < 0.1, np.nan, random.normal(size=(count, 2)))
    for first in range(0, count, 70):
        part = slice(first, first + 70)
        rows.add(rows_of(codes[part], moments[part], np.arange(count)[part], values[part]))
    told = np.concatenate(list(rows.pieces()))
    order = np.lexsort((np.arange(count), moments, codes))
    assert np.array_equal(told["place"], order)
    assert np.array_equal(told["code"], codes[order])
    assert np.array_equal(told["values"], values[order], equal_nan=True)


def test_no_piece_is_much_larger_than_a_run_even_of_one_long_series(tmp_path, monkeypatch):
    monkeypatch.setattr(sorting, "RUN", 300)
    random, count = np.random.default_rng(0), 6000
    moments, rows = random.permutation(count), SortedRows(tmp_path / "rows")
    for first in range(0, count, 100):
        part = slice(first, first + 100)
        rows.add(rows_of(np.full(100, 7), moments[part], np.arange(count)[part], np.zeros((100, 1))))
    pieces = list(rows.pieces())
    assert np.array_equal(np.concatenate([piece["moment"] for piece in pieces]), np.arange(count))
    assert max(map(len, pieces)) < 2 * sorting.RUN
