"""Rows of many series in any order, to rows by series and time, in little memory: an external sort.

Rows are taken in as runs, each sorted and written to disk. The runs are then cut at the same keys, so that the pieces
between two of them, one of every run, are sorted in memory and come after all that came before (a sample sort). Where
every run lies behind the one before it, as in a table that is sorted already, each is a piece of its own.

Source: J. S. Huang and Y. C. Chow, "Parallel sorting and data partitioning by sampling", COMPSAC 1983.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from gatework.data.store.files import ArrayWriter, StoredArray

RUN = 1 << 18
"""Rows that are sorted in memory at once; of four times as many, each array is new memory that the system clears."""
_MARKS = 256
"""Keys of each run that the cuts are chosen from."""


def rows_of(codes: np.ndarray, moments: np.ndarray, places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Rows to be sorted, a structured array.

    Args:
        codes: The series of each row, shape (rows,).
        moments: What a series' rows are sorted by, int64, shape (rows,).
        places: Where each row stands in its table; rows of one series and moment are kept in this order.
        values: What else is known of them, float64, shape (rows, values).
    """
    kind = [("code", np.int64), ("moment", np.int64), ("place", np.int64), ("values", np.float64, (values.shape[1],))]
    rows = np.empty(len(codes), dtype=kind)
    rows["code"], rows["moment"], rows["place"], rows["values"] = codes, moments, places, values
    return rows


class SortedRows:
    """Rows that are gathered in any order and given in the order of series, moment and place.

    Args:
        file: Where runs are written; it is removed by whoever removes its folder.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._writer: ArrayWriter | None = None
        self._gathered: list[np.ndarray] = []
        self._lengths: list[int] = []
        self._marks: list[np.ndarray] = []
        self._ends: list[tuple[tuple[int, int], tuple[int, int]]] = []
        self.count = 0

    def add(self, rows: np.ndarray) -> None:
        """Takes in rows, shape (rows,), as `rows_of()` makes them, in the order of their places."""
        if not len(rows):
            return
        self._gathered.append(rows)
        self.count += len(rows)
        if sum(map(len, self._gathered)) >= RUN:
            self._write()

    def _write(self) -> None:
        rows = _sorted(np.concatenate(self._gathered))
        self._gathered = []
        self._writer = self._writer or ArrayWriter(self._file, np.uint8, rows.dtype.itemsize, is_kept=False)
        self._kind = rows.dtype
        self._writer.append(rows.view(np.uint8).reshape(len(rows), -1))
        self._lengths.append(len(rows))
        marks = rows[np.linspace(0, len(rows) - 1, min(_MARKS, len(rows))).astype(np.int64)]
        self._marks.append(np.stack([marks["code"], marks["moment"]], axis=1))
        self._ends.append((_key(rows[0]), _key(rows[-1])))

    def pieces(self) -> Iterator[np.ndarray]:
        """The rows in their order, in pieces of shape (rows,); rows of one series and moment stand in one piece."""
        if self._writer is None:
            if self._gathered:
                yield _sorted(np.concatenate(self._gathered))
            return
        if self._gathered:
            self._write()
        runs = StoredArray(self._file, **self._writer.finish())
        firsts = np.cumsum([0, *self._lengths])
        if all(before[1] < after[0] for before, after in pairwise(self._ends)):
            for first, length in zip(firsts, self._lengths, strict=False):
                yield self._read(runs, np.array([first]), np.array([length]))
            return
        bounds = self._bounds(runs, firsts)
        for starts, ends in pairwise(bounds):
            rows = self._read(runs, starts, ends - starts)
            if len(rows):
                yield _sorted(rows)

    def _read(self, runs: StoredArray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        return runs.spans(starts, lengths).reshape(-1).view(self._kind)

    def _bounds(self, runs: StoredArray, firsts: np.ndarray) -> list[np.ndarray]:
        """Where each cut falls in every run, the first and the last row of the runs among the cuts."""
        marks = np.concatenate(self._marks)
        marks = marks[np.lexsort((marks[:, 1], marks[:, 0]))]
        pieces = -(-self.count // RUN)
        cuts = marks[(np.arange(1, pieces) * len(marks)) // pieces]
        places = np.empty((len(cuts), len(self._lengths)), dtype=np.int64)
        for number, (first, length) in enumerate(zip(firsts, self._lengths, strict=False)):
            rows = self._read(runs, np.array([first]), np.array([length]))
            codes, moments = np.ascontiguousarray(rows["code"]), np.ascontiguousarray(rows["moment"])
            low, high = np.searchsorted(codes, cuts[:, 0]), np.searchsorted(codes, cuts[:, 0], side="right")
            places[:, number] = first + low
            for cut in np.flatnonzero(high > low):
                places[cut, number] += np.searchsorted(moments[low[cut] : high[cut]], cuts[cut, 1])
        return [firsts[:-1], *places, firsts[1:]]


def _key(row: np.ndarray) -> tuple[int, int]:
    return int(row["code"]), int(row["moment"])


def _sorted(rows: np.ndarray) -> np.ndarray:
    """Rows in their order; the very array where they are in it already. Places go up within a run."""
    codes, moments = (np.ascontiguousarray(rows[name]) for name in ("code", "moment"))
    if _are_sorted(codes, moments):
        return rows
    # Rows that come in as time goes by are in order once each series stands together.
    order = _by_code(codes)
    if not _are_sorted(codes.take(order), moments.take(order)):
        order = np.lexsort((moments, codes))
    return _taken(rows, order)


def _are_sorted(codes: np.ndarray, moments: np.ndarray) -> bool:
    if (codes[1:] < codes[:-1]).any():
        return False
    return bool(((moments[1:] >= moments[:-1]) | (codes[1:] > codes[:-1])).all())


def _taken(rows: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The rows at these places, which numpy copies faster as rows of numbers than as records."""
    return rows.view(np.int64).reshape(len(rows), -1).take(order, axis=0).reshape(-1).view(rows.dtype)


def _by_code(codes: np.ndarray) -> np.ndarray:
    """The places of rows by their code, equal ones as they stand; numpy sorts 16 bits by counting, in no time."""
    order = np.argsort(codes.astype(np.uint16), kind="stable")
    for shift in range(16, int(codes.max()).bit_length(), 16):
        order = order[np.argsort((codes[order] >> shift).astype(np.uint16), kind="stable")]
    return order
