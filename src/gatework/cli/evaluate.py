"""`gatework evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gatework.cli import _options as options


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    data: Annotated[str | None, typer.Argument(metavar="[FILE]", help="A table or folder with known answers.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Measure a run on a file with known answers, or show what it reached on its own test part."""
    from gatework.cli._show import metrics_table
    from gatework.training import Run

    opened = Run.open(run)
    if data is None:
        metrics = opened.summary["metrics"]
    else:
        split = opened.task.read_known(data, opened.recipe)
        metrics = opened.evaluate(split)
    if as_json:
        print(json.dumps(metrics, indent=2))
        return
    metrics_table(metrics)
