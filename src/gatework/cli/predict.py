"""`gatework predict`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gatework.cli import _options as options


def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    data: Annotated[
        str | None,
        typer.Argument(metavar="[INPUT]", help="One text, or a file; standard input, line by line, if absent."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write a .csv, .jsonl or .parquet file instead.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Predict one text, every row of a file, or every line of standard input."""
    from gatework import data as reading
    from gatework.training import Run

    opened = Run.open(run)
    is_text = opened.recipe.data.text is not None or "words" in str(opened.task.state().get("encoder", ""))[:200]
    split = reading.load_inputs(data if data is not None else sys.stdin.read().splitlines(), opened.recipe.data)
    rows: list[dict[str, Any]] = opened.predict(split)
    del is_text
    if out is not None:
        _write(rows, out)
    elif as_json:
        print(json.dumps(rows if len(rows) != 1 else rows[0], indent=2, ensure_ascii=False))
    else:
        _print(rows)


def _write(rows: list[dict[str, Any]], out: Path) -> None:
    del rows, out


def _print(rows: list[dict[str, Any]]) -> None:
    del rows
