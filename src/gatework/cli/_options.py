"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Epochs = Annotated[int | None, typer.Option(help="Passes over the training data.")]
Hidden = Annotated[int | None, typer.Option(help="Units per layer and direction.")]
Layers = Annotated[int | None, typer.Option(help="Stacked layers.")]
BatchSize = Annotated[int | None, typer.Option(help="Examples per step.")]
LearningRate = Annotated[float | None, typer.Option(help="Adam's learning rate, at its highest.")]
Clip = Annotated[float | None, typer.Option(help="Clip the gradient's norm to this; 0 does not clip.")]
RecipeName = Annotated[str | None, typer.Option("--recipe", help="A built-in recipe, or the path of a .toml file.")]
Text = Annotated[str | None, typer.Option(help="The column that holds the text.")]
Label = Annotated[
    str | None, typer.Option(help="The column that holds the class, or for detectors which rows are anomalous.")
]
Target = Annotated[
    str | None, typer.Option(help="The column that holds the value to predict; several by commas for forecasts.")
]
Time = Annotated[str | None, typer.Option(help="The column that holds the time.")]
Series = Annotated[str | None, typer.Option(help="The columns that tell series apart, by commas.")]
Known = Annotated[str | None, typer.Option(help="Columns that are known ahead, by commas.")]
Past = Annotated[str | None, typer.Option(help="Columns that are known only up to now, by commas.")]
Static = Annotated[str | None, typer.Option(help="Columns that never change within a series, by commas.")]
Frequency = Annotated[str | None, typer.Option(help="The step, as D, H, 15min, W, M; found from the stamps if absent.")]
Missing = Annotated[str | None, typer.Option(help="What stands for missing steps: previous, zero, or error.")]
Duplicates = Annotated[
    str | None, typer.Option(help="What stands for rows at the same time: error, mean, sum, first, last.")
]
TimeFormat = Annotated[str | None, typer.Option(help='The format of the time column, as "%d/%m/%Y".')]
TimeZone = Annotated[str | None, typer.Option(help="The zone of stamps that name none, as Europe/Berlin.")]
Horizon = Annotated[int | None, typer.Option(help="Steps to forecast.")]
Window = Annotated[int | None, typer.Option(help="Steps that a forecast is made from.")]
Season = Annotated[int | None, typer.Option(help="Steps of one season; found from the series if absent.")]
TestSteps = Annotated[int | None, typer.Option(help="Last steps of every series to hold back for testing.")]
Refit = Annotated[
    int | None, typer.Option(help="Train again every so many steps of the test part, on all that stands before.")
]
Decoder = Annotated[str | None, typer.Option(help="How a forecast is answered: direct (all at once), or recursive.")]
Distribution = Annotated[
    str | None, typer.Option(help="What a forecast is: free quantiles, or a normal or student distribution.")
]
Scorer = Annotated[str | None, typer.Option(help="What a detector's error is: forecast, or reconstruction.")]
Threshold = Annotated[str | None, typer.Option(help="What a detector flags by: quantile, pot, or dynamic.")]
Sensitivity = Annotated[float | None, typer.Option(help="Divides a detector's thresholds: a higher one flags more.")]
Context = Annotated[int | None, typer.Option(help="Rows of a detector's training windows.")]
Out = Annotated[Path, typer.Option(help="The folder to write.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]


def given(**options: Any) -> dict[str, Any]:
    """The options that were given, without those left at None."""
    return {name: value for name, value in options.items() if value is not None}
