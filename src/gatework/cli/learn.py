"""`gatework learn`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def learn(
    folder: Annotated[Path, typer.Argument(help="Where your copy of the lessons is, or goes.")] = Path(
        "gatework-course"
    ),
    site: Annotated[
        Path | None, typer.Option(help="Build the course as a static site in this folder instead; it opens offline.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
) -> None:
    """Take the course: how an LSTM works, on the running code, with quizzes.

    Puts a copy of the lessons in FOLDER and opens it in JupyterLab. Lessons you have edited are never overwritten.
    """
    if site is not None:
        from gatework.course.site import build_site

        print(build_site(site, watcher=lambda line: print(line, file=sys.stderr)))
        return
    from gatework.course.learner import copy_lessons, start_jupyterlab

    copied = copy_lessons(folder)
    for file in copied.kept:
        print(f"kept as you left it: {file}", file=sys.stderr)
    print(copied.folder)
    code = start_jupyterlab(copied.folder, opens_browser=browser)
    if code:
        raise typer.Exit(code)
