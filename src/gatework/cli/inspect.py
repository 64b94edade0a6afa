"""`gatework inspect`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def inspect(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN... [INPUT]",
            help="Run folders or one comparison folder (the first seed of each cell), then perhaps a text or a file.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="The file to write; inspect.html in the first folder if absent.")
    ] = None,
) -> None:
    """Write a page in which trained networks run: change the input, and see gates, memory and contributions."""
    from gatework._files import folder_of
    from gatework.formatting import size
    from gatework.inside.page import write_page
    from gatework.inside.page.arguments import sorted_arguments

    opened, inputs, home = sorted_arguments(runs)
    file = out or home / "inspect.html"
    with folder_of(file):
        page = write_page(opened, file, inputs)
    print(page)
    print(f"one file of {size(page.stat().st_size)}, which opens offline", file=sys.stderr)
