"""Flagged or labelled rows to spans: the third of the three steps, after scorer and threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.formatting import counted, listed

if TYPE_CHECKING:
    import polars as pl

PARTS = {"train": "training", "validation": "validation", "test": "test"}
"""The parts of a training table, in words."""
_WORST = 3
_BEYOND_ONE_ROW = {"stuck": "that it stays the same", "relation": "how the columns go together"}


@dataclass(frozen=True)
class Span:
    """Rows that belong together.

    Attributes:
        first: The first row.
        last: The last row, included.
        peak: The row with the highest score; the first row where there are no scores.
    """

    first: int
    last: int
    peak: int

    def overlaps(self, other: Span) -> bool:
        """Whether the two have a row in common."""
        return self.first <= other.last and other.first <= self.last

    def __len__(self) -> int:
        return self.last - self.first + 1


def spans(flags: np.ndarray, scores: np.ndarray | None = None, gap: int = 0) -> list[Span]:
    """The spans of flagged rows.

    Args:
        flags: Whether each row is flagged, shape (rows,).
        scores: The rows' scores, which say where each span peaks, shape (rows,).
        gap: Flagged rows with at most so many others between them are one span.
    """
    rows = np.flatnonzero(flags)
    if not len(rows):
        return []
    starts = np.flatnonzero(np.diff(rows, prepend=-(gap + 2)) > gap + 1)
    joined = []
    for part in np.split(rows, starts[1:]):
        peak = part[0] if scores is None else part[np.nanargmax(scores[part])]
        joined.append(Span(int(part[0]), int(part[-1]), int(peak)))
    return joined


def flags(flagged: Sequence[Span], rows: int) -> np.ndarray:
    """Whether each row lies in one of the spans, shape (rows,)."""
    inside = np.zeros(rows, dtype=bool)
    for span in flagged:
        inside[span.first : span.last + 1] = True
    return inside


def fresh(scores: np.ndarray, rest: int) -> np.ndarray:
    """The scores with every event told once: a row that does not exceed all of the `rest` rows before it gets 0.

    It looks at no later row and needs no threshold, so a stream of alarms follows from it as well as a threshold that
    is chosen afterwards.

    Args:
        scores: One score per row, not negative, NaN where a row has none, shape (rows,).
        rest: For how many rows an event that is no larger is not told again; 0 tells every row.
    """
    if rest == 0:
        return scores.copy()
    padded = np.concatenate([np.full(rest, -1.0), np.nan_to_num(scores[:-1], nan=-1.0)])
    before = np.lib.stride_tricks.sliding_window_view(padded, rest).max(axis=1)
    return np.where(scores > before, scores, np.where(np.isnan(scores), np.nan, 0.0))


def onsets(scores: np.ndarray, limit: float, gap: int) -> np.ndarray:
    """The scores of the rows at which spans of flagged rows begin, 0 in all others: alarms, one a span.

    Args:
        scores: One score per row, NaN where a row has none, shape (rows,).
        limit: A row is flagged above it.
        gap: As for `spans()`.
    """
    alarms = np.zeros(len(scores))
    first = [span.first for span in spans(np.nan_to_num(scores, nan=0.0) > limit, None, gap)]
    alarms[first] = scores[first]
    return alarms


def describe(rows: Sequence[Mapping[str, Any]], time: str, ids: Sequence[str], variables: Sequence[str]) -> list[str]:
    """The spans of a detector's table in words, one line each.

    Args:
        rows: The rows of `gatework.tasks.detect.detector.Detector.frame()`.
        time: The column of the time.
        ids: The columns that tell series apart.
        variables: The watched columns.
    """
    by_span: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["span"] is not None:
            by_span.setdefault(row["span"], []).append(row)
    scored = sum(row["score"] is not None for row in rows)
    if not by_span:
        return [f"No span is anomalous; {scored:,} of {len(rows):,} rows have a score."]
    lines = []
    for number, members in sorted(by_span.items()):
        peak = max(members, key=lambda row: row["score"] or 0.0)
        where = ", ".join(str(peak[name]) for name in ids)
        count = f"{len(members):,} row{'s' if len(members) > 1 else ''}"
        ends = [str(members[at][time]).replace("T", " ") for at in (0, -1)]  # as at the end of training
        when = " to ".join(ends) if len(members) > 1 else ends[0]
        kind = kind_of(members)
        start = f"span {number}{f' of {where}' if where else ''}: {when} ({count}), {f'{kind}, ' if kind else ''}"
        start += f"score {peak['score']:.2f}"
        reason = why(members, variables)
        lines.append(f"{start}: {reason}" if reason else start)
    return lines


def highlights(judged: pl.DataFrame, time: str, ids: Sequence[str], variables: Sequence[str]) -> list[str]:
    """How many spans each part of a training table has, and the worst: of the test part, or of all where it has none.

    Args:
        judged: The rows of `gatework.tasks.detect.detector.Detector.frame()` with their parts.
        time: The column of the time.
        ids: The columns that tell series apart.
        variables: The watched columns.
    """
    flagged = judged.filter(judged["span"].is_not_null())
    if flagged.is_empty():
        return [
            f"what stands out: nothing in {counted(len(judged), 'row')}; --sensitivity 2 would halve the thresholds"
        ]
    by_score = flagged.sort("score", descending=True, nulls_last=True, maintain_order=True)
    peaks = by_score.unique("span", keep="first", maintain_order=True)
    counts = {part: int((peaks["part"] == part).sum()) for part in PARTS}
    where = listed([f"{count:,} in the {PARTS[part]} part" for part, count in counts.items()])
    rows = f"{int(judged['is_anomaly'].sum()):,} of {counted(len(judged), 'row')}"
    is_tested = counts["test"] > 0
    worst = (peaks.filter(peaks["part"] == "test") if is_tested else peaks)["span"].head(_WORST).to_list()
    members = [flagged.filter(flagged["span"] == number).to_dicts() for number in worst]
    lines = [line for each in members for line in describe(each, time, ids, variables)]
    few = f" {len(worst)}" if len(worst) > 1 else ""
    return [
        f"what stands out: {counted(len(peaks), 'span')} ({rows}), {where}",
        f"the worst{few}{' of the test part' if is_tested else ''}:",
        *(f"  {line}" for line in lines),
    ]


def kind_of(members: Sequence[Mapping[str, Any]]) -> str | None:
    """What kind of departure a span is: what is said of its last flagged row, which has seen most of it.

    Args:
        members: The span's rows, as for `describe()`.
    """
    kinds = [row.get("kind") for row in members]
    return next((kind for kind in reversed(kinds) if kind is not None), None)


def why(members: Sequence[Mapping[str, Any]], variables: Sequence[str]) -> str:
    """Why a span is flagged: its cause, at the row where that is farthest from what was expected.

    An error is a mean over a few rows, so the score peaks a little after the value did. And where no single row is too
    far off, its band does not say why the span stands out.

    Args:
        members: The span's rows, as for `describe()`.
        variables: The watched columns.

    Returns:
        The words; empty where nothing is expected of values.
    """
    cause = max(members, key=lambda row: row["score"] or 0.0).get("cause")
    if cause is None:
        return ""
    prefix = f"{cause} " if len(variables) > 1 else ""
    known = [row for row in members if row[cause] is not None and row[prefix + "expected"] is not None]
    if not known:
        return ""
    row = max(known, key=lambda row: abs(row[cause] - row[prefix + "expected"]))
    value, expected, low, high = (row[column] for column in (cause, *(prefix + p for p in ("expected", "low", "high"))))
    said = f"{cause} is {value:.4g}, expected {expected:.4g}"
    if not low <= value <= high:
        return f"{said} ({low:.4g} to {high:.4g})"
    beyond = _BEYOND_ONE_ROW.get(kind_of(members) or "", "the mean of many rows, or the range of values")
    return f"{said} (a single row may be {low:.4g} to {high:.4g}); what stands out is {beyond}"
