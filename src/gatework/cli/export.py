"""`gatework export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_ENDINGS = {"onnx": "model.onnx", "torch": "model.pt2", "keras": "model.keras", "js": "model.js", "c": "model.c"}
_FOLDERS = ("hub", "mlflow")
_TARGETS = (*_ENDINGS, *_FOLDERS)


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, or hf://OWNER/NAME.")],
    to: Annotated[str, typer.Option(help=f"What to write: {', '.join(_TARGETS)}.")] = "onnx",
    out: Annotated[
        Path | None,
        typer.Option(help="The file to write; model.onnx or the like in RUN if absent. Of hub and mlflow the folder."),
    ] = None,
    push: Annotated[
        str | None, typer.Option(metavar="OWNER/NAME", help="With --to hub: publish the folder under this name too.")
    ] = None,
) -> None:
    """Write a trained network for other people's systems, with the tokeniser, scaling and labels that it needs."""
    from gatework import export as exporting
    from gatework._files import folder_of
    from gatework.cli._show import say
    from gatework.errors import UsageError, nearest
    from gatework.training import Run
    from gatework.training.hub import is_address

    if to not in _TARGETS:
        raise UsageError(f"--to {to}: {nearest(to, _TARGETS)}")
    if push and to != "hub":
        raise UsageError("--push publishes on the Hugging Face hub: give --to hub with it")
    if to not in _FOLDERS:
        if out is None and is_address(str(run)):
            raise UsageError("a run of the hub has no folder to write into: name the file by --out")
        predictor, file = Run.open(run).predictor, out or run / _ENDINGS[to]
        with folder_of(file):
            say(exporting.run(predictor, to, file))
        return
    if out is None:
        raise UsageError(f"--to {to} writes a folder: name it by --out")
    say((exporting.hub if to == "hub" else exporting.mlflow)(Run.open(run), out))
    if push:
        say(exporting.push(out, push))
