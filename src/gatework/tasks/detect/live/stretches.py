"""The rows that a page of a detector offers, with all that its watch carries up to their first.

A page begins in the middle of a series and goes on from there row by row, as Python does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gatework.tasks._live import short_numbers
from gatework.tasks.detect.detector import Detector
from gatework.tasks.detect.live.carried import carried
from gatework.tasks.detect.online_scorer import LabelledWatch, OnlineScorer
from gatework.tasks.detect.spans import kind_of

if TYPE_CHECKING:
    import polars as pl

    from gatework.data.events import EventRows

MOST, ROWS = 6, 240
"""A page offers at most so many stretches, each of at most so many rows."""
# What is carried takes some 100 kB a column; with many columns a page offers fewer stretches.
_MOST_COLUMNS = 12
# How many rows of a stretch stand before the span that it shows.
_BEFORE = 150
_CHUNK = 4096


class _Stretch(NamedTuple):
    """Rows of a series that a page offers.

    Attributes:
        start: Its first row.
        stop: The row after its last.
        rank: Its place among all that the page offers.
        title: What it shows, in words.
    """

    start: int
    stop: int
    rank: int
    title: str


def stretches(detector: Detector, series: Sequence[EventRows], judged: pl.DataFrame) -> list[dict[str, Any]]:
    """The stretches of a page: those with the spans that stand out most, and the end of the first series.

    Args:
        detector: The trained detector.
        series: The series.
        judged: What the detector says of them, as its `frame()` gives it: all rows of a series together, in order.
    """
    ranked: dict[int, dict[str, Any]] = {}
    for number, chosen in _chosen(series, judged, len(detector.task.variables)).items():
        rows = series[number]
        watch, at = detector.watch(rows.name), 0
        for stretch in sorted(chosen):
            # Earlier rows are taken in by parts, as a whole table is answered.
            for low in range(at, stretch.start, _CHUNK):
                part = slice(low, min(low + _CHUNK, stretch.start))
                watch.answer(rows.values[part], rows.stamps[part])
            at = max(at, stretch.start)
            ranked[stretch.rank] = _held(watch, rows, stretch)
    return [ranked[rank] for rank in sorted(ranked)]


def _chosen(series: Sequence[EventRows], judged: pl.DataFrame, columns: int) -> dict[int, list[_Stretch]]:
    """The stretches of each series by its number."""
    most = max(1, min(MOST, _MOST_COLUMNS // columns))
    lengths = [len(rows) for rows in series]
    firsts = np.cumsum([0, *lengths])
    chosen: dict[int, list[_Stretch]] = {}
    flagged = judged.with_row_index("place").filter(judged["span"].is_not_null())
    groups = [group for _, group in flagged.group_by("span", maintain_order=True)]
    rank = 0
    for group in sorted(groups, key=lambda group: -float(np.nanmax(group["score"].to_numpy()))):
        number = int(np.searchsorted(firsts, group["place"][0], side="right")) - 1
        first, last = (int(group["place"][k]) - int(firsts[number]) for k in (0, -1))
        if rank == most or any(s.start <= first and last < s.stop for s in chosen.get(number, ())):
            continue
        start = max(0, min(first - _BEFORE, lengths[number] - ROWS))
        when = str(series[number].stamps[first].astype("datetime64[us]").astype("datetime64[s]"))
        kind = kind_of(group.to_dicts())
        title = ": ".join(part for part in (series[number].name, when.replace("T", " ")) if part)
        stretch = _Stretch(start, min(start + ROWS, lengths[number]), rank, f"{title}, {kind}" if kind else title)
        chosen.setdefault(number, []).append(stretch)
        rank += 1
    if not chosen or rank < most:
        title = ": ".join(part for part in (series[0].name, "the last rows") if part)
        chosen.setdefault(0, []).append(_Stretch(max(0, lengths[0] - ROWS), lengths[0], rank, title))
    return chosen


def _held(watch: OnlineScorer | LabelledWatch, rows: EventRows, stretch: _Stretch) -> dict[str, Any]:
    part = slice(stretch.start, stretch.stop)
    values, stamps = rows.values[part], rows.stamps[part]
    return {
        "title": stretch.title,
        "times": [str(time).replace("T", " ") for time in stamps.astype("datetime64[us]").astype("datetime64[s]")],
        "stamps": stamps.tolist(),
        "values": [[None if np.isnan(value) else float(value) for value in row] for row in values],
        "beside": short_numbers(watch.features(stamps)),
        "carried": carried(watch),
    }
