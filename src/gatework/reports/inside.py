"""How much gradient reaches back in each network, and the way to the live page, from a comparison's `inside.json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatework._files import read_json
from gatework.reports.looks import Look


def inside(folder: Path, looks: Mapping[str, Look]) -> dict[str, Any] | None:
    """What the section shows; None where the folder has no such file, as for tasks that cannot be looked into.

    Raises:
        RunError: The file is corrupt.
    """
    file = folder / "inside.json"
    if not file.exists():
        return None
    content = read_json(file)
    curves = [curve for curve in content.get("gradients") or () if curve.get("name") in looks]
    page = content.get("page")
    if not curves and not page:
        return None
    return {
        "page": _present(folder, page),
        "playground": _present(folder, content.get("playground")),
        "curves": curves,
        "steps": max(map(_steps, curves), default=1),
    }


def _present(folder: Path, page: Any) -> str | None:
    """The name of a page that stands beside the report; None where it does not."""
    return str(page) if page and (folder / str(page)).is_file() else None


def _steps(curve: Mapping[str, Any]) -> int:
    return max(len(curve[at]["norm"]) for at in ("start", "trained")) - 1
