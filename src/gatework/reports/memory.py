"""A measurement of memory as one HTML page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from gatework._files import read_json
from gatework.pages.palette import cell_looks
from gatework.reports.damaged import refusing_damage
from gatework.reports.details import details, gatework_version
from gatework.reports.page import write_page


@refusing_damage
def write_memory_report(folder: str | os.PathLike[str], out: Path | None = None) -> Path:
    """Writes `report.html` into a folder of `gatework compare memory`.

    Args:
        folder: The folder.
        out: Where the page goes; `report.html` in the folder if None.

    Raises:
        RunError: `memory.json` is missing or corrupt, or the page cannot be written.
    """
    folder = Path(folder)
    content = read_json(folder / "memory.json")
    names = [cell["name"] for cell in content["problems"][0]["cells"]]
    return write_page(
        out or folder / "report.html",
        "memory.html",
        data={},
        title=content["title"],
        content=content,
        minutes=content["seconds"] / 60,
        colours={name: colour for name, (colour, _) in cell_looks(names).items()},
        tables=[_table(problem) for problem in content["problems"]],
        command=content.get("command"),
        details=details({"environment": content.get("environment", {})}),
        version=gatework_version(content.get("environment")),
    )


def _table(problem: dict[str, Any]) -> dict[str, Any]:
    """For each cell and span every seed's share, as a text and as a share for its ground."""
    rows = []
    for cell in problem["cells"]:
        spans = [
            [None if s is None else {"text": f"{100 * s:.0f} %", "share": s} for s in shares]
            for shares in cell["shares"]
        ]
        rows.append({"name": cell["name"], "spans": spans, "longest": cell["longest"], "minutes": cell["seconds"] / 60})
    return {**problem, "rows": rows}
