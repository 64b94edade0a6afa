"""`gatework playground`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def playground(
    cells: Annotated[
        str, typer.Option(help="Names of cells, separated by commas; mycell.py:MyCell for one of your own.")
    ] = "rnn,gru,lstm",
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("playground.html"),
) -> None:
    """Write a page in which recurrent networks learn while you watch, side by side and offline."""
    from gatework.inside.playground import write_playground

    print(write_playground(out, [name.strip() for name in cells.split(",") if name.strip()]))
