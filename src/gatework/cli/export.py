"""`gatework export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_ENDINGS = {"onnx": "model.onnx", "torch": "model.pt2", "keras": "model.keras", "js": "model.js", "c": "model.c"}


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    to: Annotated[str, typer.Option(help=f"What to write: {', '.join(_ENDINGS)}.")] = "onnx",
    out: Annotated[
        Path | None, typer.Option(help="The file to write; model.onnx or the like in RUN if absent.")
    ] = None,
) -> None:
    """Write a trained network for other people's systems, with the tokeniser, scaling and labels that it needs."""
    from gatework import export as exporting
    from gatework.errors import UsageError, nearest
    from gatework.training import Run

    if to not in _ENDINGS:
        raise UsageError(f"--to {to}: {nearest(to, _ENDINGS)}")
    print(exporting.run(Run.open(run).predictor, to, out or run / _ENDINGS[to]))
