"""A run or a comparison as one HTML file that opens offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.reports.comparison import write_report
    from gatework.reports.folder_kind import report
    from gatework.reports.picture import plot
    from gatework.reports.run import write_run_report

__all__ = ["plot", "report", "write_report", "write_run_report"]

__getattr__, __dir__ = lazy(
    __name__,
    {"comparison": ("write_report",), "folder_kind": ("report",), "picture": ("plot",), "run": ("write_run_report",)},
)
