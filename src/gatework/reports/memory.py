"""A measurement of memory as one HTML page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from gatework.reports.folders import read_json
from gatework.reports.page import write_page
from gatework.reports.particulars import particulars

_KNOWN = ("rnn", "gru", "lstm", "rnn_relu")


def write_memory_report(folder: str | os.PathLike[str]) -> Path:
    """Writes `report.html` into a folder of `gatework compare memory`.

    Raises:
        RunError: `memory.json` is missing or corrupt, or the page cannot be written.
    """
    folder = Path(folder)
    content = read_json(folder / "memory.json")
    return write_page(
        folder / "report.html",
        "memory.html",
        data={},
        title=content["title"],
        content=content,
        minutes=content["seconds"] / 60,
        colours={cell: _colour(cell) for cell in content["plan"]["cells"]},
        tables=[_table(problem) for problem in content["problems"]],
        command=content.get("command"),
        particulars=particulars({"environment": content.get("environment", {})}),
        version=(content.get("environment", {}).get("versions") or {}).get("gatework"),
    )


def _colour(cell: str) -> str:
    return f"--cell-{cell.replace('_', '-')}" if cell in _KNOWN else "--cell-other-0"


def _table(problem: dict[str, Any]) -> dict[str, Any]:
    """For each cell and span every seed's share, as a text and as a share for its ground."""
    rows = []
    for cell in problem["cells"]:
        spans = [
            [None if s is None else {"text": f"{100 * s:.0f} %", "share": s} for s in own] for own in cell["shares"]
        ]
        rows.append({"name": cell["name"], "spans": spans, "longest": cell["longest"], "minutes": cell["seconds"] / 60})
    return {**problem, "rows": rows}
