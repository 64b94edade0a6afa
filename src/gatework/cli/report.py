"""`gatework report`."""

from __future__ import annotations

import shlex
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from gatework.errors import UsageError


def report(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...", help="A run folder or a comparison folder; or several runs, to see side by side."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="The file to write, report.html in PATH if absent; of several runs the folder.")
    ] = None,
) -> None:
    """Write a run or a comparison as one HTML file that opens anywhere, offline.

    Several runs that were tested on the same examples become a comparison, with the same tables, pictures and verdict.
    """
    from gatework import reports
    from gatework._files import folder_of

    if len(paths) == 1:
        with folder_of(out) if out else nullcontext():
            print(reports.report(paths[0], out))
        return
    if out is None:
        raise UsageError("several runs are written into a folder of their own; name it with --out")
    from gatework.evaluation.gathered import gather

    print(reports.report(gather(paths, out, "gatework " + shlex.join(sys.argv[1:]))))
