"""`gatework train`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gatework.cli import _options as options


def train(
    task: Annotated[str | None, typer.Argument(help="classify, regress, forecast or detect.")] = None,
    data: Annotated[
        str | None, typer.Argument(metavar="FILE", help="A table, a folder of texts, or a data set.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder to write.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with this interrupted run.")] = None,
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
    refit: options.Refit = None,
    decoder: options.Decoder = None,
    distribution: options.Distribution = None,
    scorer: options.Scorer = None,
    threshold: options.Threshold = None,
    sensitivity: options.Sensitivity = None,
    context: options.Context = None,
    cell: Annotated[str | None, typer.Option(help="A cell, as lstm, or your own, as mycell.py:MyCell.")] = None,
    hidden: options.Hidden = None,
    layers: options.Layers = None,
    epochs: options.Epochs = None,
    batch_size: options.BatchSize = None,
    learning_rate: options.LearningRate = None,
    clip: options.Clip = None,
    seed: Annotated[int | None, typer.Option(help="Seeds weights, data order and dropout.")] = None,
    patience: Annotated[int | None, typer.Option(help="Stop after so many epochs without a better one.")] = None,
    recipe: options.RecipeName = None,
    threads: Annotated[int | None, typer.Option(help="Threads to compute with; all cores by default.")] = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Train a network on your own data, or go on with an interrupted run by --resume."""
    from gatework import training
    from gatework.cli._show import run_summary
    from gatework.errors import UsageError
    from gatework.training.watch import watching

    changes = options.given(
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
        refit=refit,
        decoder=decoder,
        distribution=distribution,
        scorer=scorer,
        threshold=threshold,
        sensitivity=sensitivity,
        context=context,
        cell=cell,
        hidden=hidden,
        layers=layers,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        clip=clip,
        seed=seed,
        patience=patience,
    )
    if resume is not None:
        if task or data or out or recipe or changes:
            raise UsageError("--resume takes everything from the run folder; give it alone")
        with watching(quiet) as watcher:
            run = training.resume(resume, watcher=watcher)
    else:
        if not (task and data and out):
            absent = [name for name, value in (("TASK", task), ("FILE", data), ("--out", out)) if not value]
            raise UsageError(
                f"{', '.join(absent)} missing: gatework train classify reviews.csv --text review --label sentiment "
                "--out RUN, or gatework train --resume RUN"
            )
        with watching(quiet) as watcher:
            run = training.train(task, data, out=out, recipe=recipe, threads=threads, watcher=watcher, **changes)
    if as_json:
        print(json.dumps({"run": str(run.path), **run.summary}, indent=2))
        return
    run_summary(run)
