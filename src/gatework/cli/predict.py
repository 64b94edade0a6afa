"""`gatework predict`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from gatework.cli import _options as options


def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="[INPUT]",
            help="One text, or a file; if absent, standard input, line by line, or for forecasts the training table.",
        ),
    ] = None,
    horizon: options.Horizon = None,
    out: Annotated[Path | None, typer.Option(help="Write a .csv, .jsonl or .parquet file.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Predict one text, every row of a file, every line of standard input, or the steps that follow a table."""
    from gatework.cli._show import predictions_table, write_predictions
    from gatework.training import Run

    opened = Run.open(run)
    source = data if data is not None or not opened.task.needs_input else sys.stdin.read().splitlines()
    rows = opened.predict(opened.task.read(source, opened.recipe, horizon=horizon))
    if out is not None:
        write_predictions(rows, out)
    elif as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        predictions_table(rows)
