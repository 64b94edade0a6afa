"""Tables in the kind of frame that a person works with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl


def like(source: Any, table: pl.DataFrame) -> Any:
    """A table as the kind of frame that `source` is; a polars frame where it is no frame.

    Args:
        source: A pandas, polars or pyarrow frame, or anything else.
        table: The table.
    """
    module = type(source).__module__.partition(".")[0]
    if module == "pandas":
        return table.to_pandas()
    return table.to_arrow() if module == "pyarrow" else table
