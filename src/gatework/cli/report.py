"""`gatework report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(path: Annotated[Path, typer.Argument(help="A run folder or a comparison folder.")]) -> None:
    """Write a run or a comparison as one HTML file that opens anywhere, offline."""
    from gatework import reports

    print(reports.report(path))
