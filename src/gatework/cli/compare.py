"""`gatework compare`."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from gatework.cli import _options as options


def compare(
    data: Annotated[str, typer.Argument(metavar="DATASET|FILE", help="A data set (see gatework datasets) or a file.")],
    out: options.Out,
    cells: Annotated[str, typer.Option(help="Cells to compare, separated by commas.")] = "rnn,gru,lstm",
    seeds: Annotated[int, typer.Option(help="Seeds per cell.")] = 3,
    epochs: options.Epochs = None,
    hidden: options.Hidden = None,
    layers: options.Layers = None,
    batch_size: options.BatchSize = None,
    learning_rate: options.LearningRate = None,
    clip: options.Clip = None,
    match: Annotated[str, typer.Option(help="What the cells have in common: units, or parameters.")] = "units",
    task: Annotated[str | None, typer.Option(help="classify, regress or forecast, for your own file.")] = None,
    text: options.Text = None,
    label: options.Label = None,
    target: options.Target = None,
    time: options.Time = None,
    series: options.Series = None,
    known: options.Known = None,
    past: options.Past = None,
    static: options.Static = None,
    frequency: options.Frequency = None,
    missing: options.Missing = None,
    duplicates: options.Duplicates = None,
    time_format: options.TimeFormat = None,
    time_zone: options.TimeZone = None,
    horizon: options.Horizon = None,
    window: options.Window = None,
    season: options.Season = None,
    test_steps: options.TestSteps = None,
    recipe: options.RecipeName = None,
    jobs: Annotated[
        int | None, typer.Option(help="Runs trained at once; as many as there are cores by default.")
    ] = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Train several cells with several seeds on the same data, beside simple methods, and write a report.

    An interrupted comparison goes on where it stopped when the same command is repeated.
    """
    from gatework._files import read_json
    from gatework.cli._show import comparison_table
    from gatework.evaluation import compare as run
    from gatework.training.watch import watching

    changes = options.given(
        epochs=epochs,
        hidden=hidden,
        layers=layers,
        batch_size=batch_size,
        learning_rate=learning_rate,
        clip=clip,
        text=text,
        label=label,
        target=target,
        time=time,
        series=series,
        known=known,
        past=past,
        static=static,
        frequency=frequency,
        missing=missing,
        duplicates=duplicates,
        time_format=time_format,
        time_zone=time_zone,
        horizon=horizon,
        window=window,
        season=season,
        test_steps=test_steps,
    )
    with watching(quiet) as watcher:
        report = run(
            data,
            out=out,
            cells=tuple(cell.strip() for cell in cells.split(",") if cell.strip()),
            seeds=seeds,
            match=match,
            task=task,
            recipe=recipe,
            workers=jobs or os.cpu_count() or 1,
            watcher=watcher,
            command="gatework " + shlex.join(sys.argv[1:]),
            **changes,
        )
    content = Path(out) / "comparison.json"
    if as_json:
        print(content.read_text(encoding="utf-8"), end="")
        return
    comparison_table(read_json(content))
    print(f"\nReport: {report}")
