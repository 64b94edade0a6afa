"""`gatework align`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer


def align(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    data: Annotated[str, typer.Argument(metavar="FILE", help="Recordings with their texts, as for training.")],
    out: Annotated[
        Path | None,
        typer.Option(help="A folder for a file a recording, or one .csv, .json, .jsonl or .parquet file; else shown."),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="The form of the files in a folder, such as srt, vtt or json.")
    ] = "TextGrid",
) -> None:
    """Say when each word of recordings with known texts was said.

    The confidence of a word is the mean probability of its letters there: a low one points to a wrong text.
    """
    from gatework._files import make_folder, write_text
    from gatework.cli._predictions import predictions_table, write_predictions
    from gatework.errors import UsageError
    from gatework.training import Run
    from gatework.training.progress import tell

    opened = Run.open(run)
    if form not in opened.task.formats:
        known = ", ".join(opened.task.formats)
        raise UsageError(f'--format is "{form}", expected one of {known}' if known else f"{run} aligns nothing")
    split, rows = opened.predictor.align(data)
    tell(split.notes)
    if out is None:
        predictions_table(rows)
        return
    if out.suffix:
        write_predictions(rows, out)
        return
    files = [out / Path(name).with_suffix(f".{form}") for name in rows["audio"]]
    twice = next((file for file, count in Counter(files).items() if count > 1), None)
    if twice is not None:
        raise UsageError(f"several recordings would be written to {twice}; write one table of all by --out FILE.csv")
    for place, file in enumerate(files):
        make_folder(file.parent)
        write_text(file, opened.task.written(rows[place : place + 1], form))
    print(f"{len(rows):,} files in {out}")
