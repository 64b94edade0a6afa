"""Pictures of a detector's answers for a person: every series with its expected band and the spans that stand out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gatework.tasks._chart import Band, Chart, Curve, known

if TYPE_CHECKING:
    import polars as pl


def charts(rows: pl.DataFrame, time: str, ids: Sequence[str], variables: Sequence[str]) -> list[Chart]:
    """A chart per series and variable, those with most spans first.

    Args:
        rows: The answers, one row per row of the table.
        time: The column of the time.
        ids: The columns that tell series apart.
        variables: The watched columns.
    """
    parts = rows.partition_by(list(ids), maintain_order=True) if ids else [rows]
    parts.sort(key=lambda part: -part["span"].n_unique())
    return [_chart(part, time, ids, name, len(variables) > 1) for part in parts for name in variables]


def _chart(part: pl.DataFrame, time: str, ids: Sequence[str], variable: str, is_one_of_several: bool) -> Chart:
    part = part.sort(time, maintain_order=True)
    times = part[time].to_list()
    flagged = part.filter(part["span"].is_not_null()).partition_by("span", maintain_order=True)
    spans = [(rows[time][0], rows[time][-1]) for rows in flagged]
    curves = [Curve("actual", known(part[variable].to_list()))]
    bands = []
    prefix = f"{variable} " if is_one_of_several else ""
    if f"{prefix}expected" in part.columns:
        curves.append(Curve("expected", known(part[f"{prefix}expected"].to_list()), "expected"))
        edges = [known(part[prefix + edge].to_list()) for edge in ("low", "high")]
        bands.append(Band("expected band", *edges))
    series = ", ".join(str(part[name][0]) for name in ids)
    count = f"{len(spans)} span{'' if len(spans) == 1 else 's'}"
    title = ", ".join(text for text in (series, f"{count} in {len(part):,} rows") if text)
    return Chart(title, times, curves, bands, spans, unit=variable)
