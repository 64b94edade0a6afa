"""`gatework learn`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer


def learn(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where your copy of the lessons is, or goes.")
    ] = Path("gatework-course"),
    site: Annotated[
        Path | None, typer.Option(help="Build the course as a static site in this folder instead; it opens offline.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
    allow_root: Annotated[
        bool, typer.Option("--allow-root", help="Let JupyterLab run as root, as in a container.")
    ] = False,
) -> None:
    """Take the course: how an LSTM works, on the running code, with quizzes.

    Puts a copy of the lessons in FOLDER and opens it in JupyterLab. Lessons you have edited are never overwritten.
    """
    if site is not None:
        from gatework.course.site import build_site

        print(build_site(site, progress=lambda line: print(line, file=sys.stderr)))
        return
    from gatework.course.learner import copy_lessons, jupyterlab_command

    copied = copy_lessons(folder)
    for file in copied.kept:
        print(f"kept as you left it: {file}", file=sys.stderr)
    print(copied.folder, flush=True)
    command = jupyterlab_command(copied.folder, opens_browser=browser, allows_root=allow_root)
    # JupyterLab takes this process over, so that Ctrl-C and every other signal is its own to answer.
    os.execv(command[0], command)
