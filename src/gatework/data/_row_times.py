"""The excerpts of recordings that rows name by columns of times, or Kaldi's `segments`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from gatework.data._content import printable
from gatework.data._timed_texts import seconds_of
from gatework.data.audio import Excerpt
from gatework.data.tables import Table
from gatework.errors import DataError

_START = ("start", "start_time", "start_seconds", "begin", "onset", "offset")
_END = ("end", "end_time", "end_seconds", "stop")
_DURATION = ("duration", "duration_seconds")


@dataclass(frozen=True)
class RowTimes:
    """The excerpts that a table's columns of times name.

    Attributes:
        columns: What is used: the start's, the end's or the length's, and whether the latter is a length.
        starts: The texts of the start's column.
        ends: Likewise.
        remarks: On columns that are left out.
    """

    columns: tuple[str, str, bool] | None = None
    starts: list[str] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: Table, paths: Sequence[str]) -> RowTimes:
        """Those of a table; of one that names no file twice its recordings are whole, wherever they were cut from."""
        by_lower = {name.lower(): name for name in table.frame.columns}
        start = next((by_lower[name] for name in _START if name in by_lower), None)
        if start is None:
            return cls()
        # With an "onset" an "offset" is where it ends; alone it is where it begins, as NeMo has it.
        endings = (*_END, "offset") if start.lower() == "onset" else _END
        end = next((by_lower[name] for name in endings if name in by_lower), None)
        length = next((by_lower[name] for name in _DURATION if name in by_lower), None)
        last = end or length
        if last is None or len(set(paths)) == len(paths):
            why = "no column says where they end" if last is None else "no recording stands in two rows"
            times = f'"{start}"' + (f' and "{last}"' if last else "")
            return cls(remarks=(f"{table.where}: the times in {times} are not used, as {why}.",))
        columns = (start, last, end is None)
        return cls(columns, table.texts(start).to_list(), table.texts(last).to_list())

    @property
    def layout(self) -> str:
        return "" if self.columns is None else f', in excerpts by "{self.columns[0]}" and "{self.columns[1]}"'

    def excerpt(self, row: int, where: str) -> Excerpt | None:
        """That of a row; None where it names none."""
        if self.columns is None or not (self.starts[row].strip() or self.ends[row].strip()):
            return None
        first, last, is_length = self.columns
        start, end = _seconds(self.starts[row], first, where), _seconds(self.ends[row], last, where)
        return Excerpt(start, start + end if is_length else end)


def _seconds(text: str, column: str, where: str) -> float:
    seconds = seconds_of(text)
    if seconds is None:
        raise DataError(
            f'{where} has "{printable(text)[:40]}" in the column "{column}", expected a time in seconds, or hours, '
            "minutes and seconds with colons between"
        )
    return seconds


def kaldi_excerpt(times: Sequence[str], where: str) -> Excerpt:
    """That of Kaldi's start and end, of which -1 is the recording's."""
    seconds = [math.inf if text == "-1" else seconds_of(text) for text in times]
    if len(seconds) != 2 or None in seconds:
        raise DataError(f"{where} says {' '.join(times) or 'nothing'}, expected a recording, its start and its end")
    return Excerpt(*(one for one in seconds if one is not None))
