"""Tables in the kind of frame that a person works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    """A table as the kind of frame that `source` is; a polars frame where it is no frame.

    Args:
        source: A pandas, polars or pyarrow frame, or anything else.
        table: The table.
    """
    kind = kind_of(source)
    return table if kind is None else kind.of(table)
