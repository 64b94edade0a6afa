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
Label = Annotated[str | None, typer.Option(help="The column that holds the class.")]
Target = Annotated[str | None, typer.Option(help="The column that holds the value to predict.")]
Out = Annotated[Path, typer.Option(help="The folder to write.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]


def given(**options: Any) -> dict[str, Any]:
    """The options that were given, without those left at None."""
    return {name: value for name, value in options.items() if value is not None}
