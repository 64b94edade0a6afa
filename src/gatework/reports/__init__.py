"""A run or a comparison as one HTML file that opens offline."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gatework.reports.comparison import write_report
    from gatework.reports.folder_kind import report
    from gatework.reports.run import write_run_report

__all__ = ["report", "write_report", "write_run_report"]

_HOMES = {"report": "folder_kind", "write_report": "comparison", "write_run_report": "run"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
