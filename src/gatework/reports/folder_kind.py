"""What a folder is, a run or a comparison, and the report that fits."""

from __future__ import annotations

import os
from pathlib import Path

from gatework.errors import RunError, UsageError
from gatework.reports.comparison import write_report
from gatework.reports.memory import write_memory_report
from gatework.reports.run import write_run_report
from gatework.reports.search import write_search_report


def report(path: str | os.PathLike[str], out: str | os.PathLike[str] | None = None) -> Path:
    """Writes the report of a folder of a run, a comparison or a search.

    Args:
        path: The folder.
        out: The file to write, a .html page; `report.html` in the folder if None.

    Returns:
        The path of the page.

    Raises:
        RunError: The folder is missing, is neither, or one of its files is missing or corrupt.
        UsageError: The file does not end with .html.
    """
    path, file = Path(path), None if out is None else Path(out)
    if file is not None and file.suffix.lower() != ".html":
        raise UsageError(f"the report of one folder is one file that ends with .html, not {file}")
    if (path / "comparison.json").is_file():
        return write_report(path, file)
    if (path / "memory.json").is_file():
        return write_memory_report(path, file)
    if (path / "search.json").is_file():
        return write_search_report(path, file)
    if (path / "recipe.toml").is_file() or (path / "metrics.jsonl").is_file():
        return write_run_report(path, file)
    if not path.exists():
        raise RunError(f"{path} does not exist, expected a folder that `gatework train` or `gatework compare` wrote")
    if not path.is_dir():
        raise RunError(f"{path} is a file, expected the folder that `gatework train` or `gatework compare` wrote")
    raise RunError(
        f"{path} is neither a run nor a comparison (it holds no recipe.toml and no comparison.json): "
        "name a folder that `gatework train --out` or `gatework compare --out` wrote"
    )
