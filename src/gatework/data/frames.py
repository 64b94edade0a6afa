"""Tables in the kind of frame that a person works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gatework.data.tables import with_plain_names

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class FrameKind:
    """A kind of frame.

    Attributes:
        of: A polars frame as one of this kind.
    """

    of: Callable[[pl.DataFrame], Any]


_KINDS = {
    "pandas": FrameKind(lambda table: table.to_pandas()),
    "pyarrow": FrameKind(lambda table: table.to_arrow()),
    "polars": FrameKind(lambda table: table),
}


def kind_of(source: Any) -> FrameKind | None:
    """The kind of frame that a source is; None where it is no frame."""
    return _KINDS.get(type(source).__module__.partition(".")[0])


def like(source: Any, table: pl.DataFrame) -> Any:
    """A table as the kind of frame that `source` is, with times where that has times; polars where it is no frame.

    Args:
        source: A pandas, polars or pyarrow frame, or anything else.
        table: The table.
    """
    kind = kind_of(source)
    return table if kind is None else kind.of(table.with_columns(_times(source, table)))


def _times(source: Any, table: pl.DataFrame) -> list[pl.Series]:
    """The columns of a table that are texts of times, and that a frame has as times, as that has them."""
    import narwhals as nw
    import polars as pl

    times = []
    for name, kind in nw.from_native(with_plain_names(source), eager_only=True).schema.items():
        if not isinstance(kind, (nw.Datetime, nw.Date)) or name not in table.columns or table[name].dtype != pl.String:
            continue
        zone = kind.time_zone if isinstance(kind, nw.Datetime) else None
        texts = table[name]
        if texts.str.contains(r"[+-]\d\d:\d\d$").any():
            stamps = texts.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us", time_zone=zone or "UTC")
        else:
            stamps = texts.str.to_datetime(time_unit="us", strict=False)
            stamps = stamps.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        stamps = stamps.dt.date() if isinstance(kind, nw.Date) else stamps
        times += [stamps] if stamps.null_count() == texts.null_count() else []
    return times
