"""A detector's answer for every row: the series with its expected band, the score, and the flagged spans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from gatework.errors import RunError
from gatework.formatting import counted, rounded
from gatework.tasks._section import Answered, ReportSection, section_file
from gatework.tasks.detect.spans import kind_of, why

# A page draws at most so many rows and series; rows of spans and the extremes between are kept when rows are left out.
_MOST_ROWS = 24_000
_MOST_SERIES = 12
_MOST_SPANS = 200


def detections(answered: Answered) -> ReportSection | None:
    """The answers for every row of the table that the best network was trained on.

    Returns:
        None where the run keeps no such answers.

    Raises:
        RunError: The table of answers or the task's state lacks a column.
    """
    network = answered.networks[0] if answered.networks else None
    frame = network.tables.get("detections") if network else None
    if network is None or frame is None:
        return None
    try:
        data = _drawn(frame, answered.state["columns"])
    except (pl.exceptions.PolarsError, KeyError) as error:
        raise RunError(f"detections.parquet and task.json do not fit each other ({error}); train anew") from None
    return ReportSection(
        name="detections",
        title="What stands out",
        template=section_file(__package__, "detections.html"),
        context={"detection": data, "name": network.name if len(answered.networks) > 1 else ""},
        data=data,
        script=section_file(__package__, "detections.js"),
        headline=f"{counted(data['spans'], 'span')} in {counted(data['rows'], 'row')}."
        if data["spans"]
        else f"No row stands out among {data['rows']:,}.",
    )


def _drawn(frame: pl.DataFrame, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The answers as the page's script draws them.

    Args:
        frame: One row per row of the table, as `gatework.tasks.detect.detector.Detector.frame()` gives it.
        columns: The columns by role.
    """
    names = columns["target"]
    ids, time, targets = list(columns["series"]), str(columns["time"]), [names] if isinstance(names, str) else [*names]
    parts = frame.partition_by(ids, maintain_order=True) if ids else [frame]
    shown = sorted(parts, key=lambda part: -part["span"].n_unique())[:_MOST_SERIES]
    return {
        "series": [_series(part, ids, time, targets, _MOST_ROWS // len(shown)) for part in shown],
        "variables": targets,
        "rows": len(frame),
        "count": len(parts),
        "flagged": int(frame["is_anomaly"].sum()),
        "spans": frame["span"].drop_nulls().n_unique(),
    }


def _series(part: pl.DataFrame, ids: list[str], time: str, targets: list[str], most: int) -> dict[str, Any]:
    kept = part[_kept(part, targets, most)]
    variables = []
    for name in targets:
        prefix = f"{name} " if len(targets) > 1 else ""
        fields = {"actual": name, **{field: prefix + field for field in ("expected", "low", "high")}}
        variables.append(
            {key: [rounded(v) for v in kept[column].to_list()] for key, column in fields.items() if column in kept}
        )
    return {
        "name": ", ".join(str(part[name][0]) for name in ids),
        "time": kept[time].dt.epoch("ms").to_list(),
        "score": [rounded(v) for v in kept["score"].to_list()],
        "variables": variables,
        "ends": [_end(part, time, name) for name in ("train", "validation")],
        "spans": _spans(part, time, targets),
    }


def _end(part: pl.DataFrame, time: str, name: str) -> int | None:
    """The time of the last row of a part, in milliseconds."""
    rows = part.filter(pl.col("part") == name)
    return None if rows.is_empty() else int(rows[time].dt.epoch("ms")[-1])


def _kept(part: pl.DataFrame, targets: list[str], most: int) -> np.ndarray:
    """The rows that are drawn: all, or those of spans and the lowest and highest value of equal stretches."""
    rows = len(part)
    if rows <= most:
        return np.arange(rows)
    stretch = -(-2 * len(targets) * rows // most)
    chosen = [np.flatnonzero(part["span"].is_not_null().to_numpy())[:most], np.array([0, rows - 1])]
    for name in targets:
        values = part[name].fill_null(float("nan")).to_numpy()
        padded = np.concatenate([values, np.full(-rows % stretch, np.nan)]).reshape(-1, stretch)
        start = np.arange(len(padded)) * stretch
        for end, pick in ((np.inf, np.argmin), (-np.inf, np.argmax)):
            chosen.append(start + pick(np.where(np.isnan(padded), end, padded), axis=1))
    kept = np.unique(np.concatenate(chosen))
    return kept[kept < rows]


def _spans(part: pl.DataFrame, time: str, targets: list[str]) -> list[dict[str, Any]]:
    spans: list[dict[str, Any]] = []
    for rows in part.filter(pl.col("span").is_not_null()).partition_by("span", maintain_order=True):
        stamps = rows[time].dt.epoch("ms")
        at = int(rows["score"].fill_null(-1.0).arg_max() or 0)
        members = rows.to_dicts()
        spans.append(
            {
                "number": int(rows["span"][0]),
                "start": int(stamps[0]),
                "end": int(stamps[-1]),
                "from": str(rows[time][0]),
                "to": str(rows[time][-1]),
                "rows": len(rows),
                "score": rounded(rows["score"][at]),
                "peak": int(stamps[at]),
                "kind": kind_of(members),
                "why": why(members, targets),
            }
        )
    spans.sort(key=lambda span: float(span["score"] or 0.0), reverse=True)
    return spans[:_MOST_SPANS]
