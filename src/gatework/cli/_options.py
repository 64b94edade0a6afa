"""Options that several commands share, and the one list of those that change a recipe."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

MODEL, AROUND, TRAINING = "Model", "Around the cell, at every step", "Training"
TABLE, FORECASTS, DETECTORS = "Columns of your own table", "Forecasts", "Detectors"
SECTIONS = (MODEL, AROUND, TRAINING, TABLE, FORECASTS, DETECTORS)
"""The sections of --help, in order, after a command's own options."""

Out = Annotated[Path, typer.Option(help="The folder to write.")]
RecipeName = Annotated[str | None, typer.Option("--recipe", help="A built-in recipe, or the path of a .toml file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
Changes = dict[str, Any]
"""What `changes_a_recipe` hands on: fields of a recipe with the values that were given."""


def zoneout(text: str) -> float | dict[str, float]:
    """A share as `0.1`, or shares by state as `c=0.5,h=0.05`."""
    try:
        if "=" not in text:
            return float(text)
        return {state.strip(): float(share) for state, share in (part.split("=") for part in text.split(","))}
    except ValueError:
        raise typer.BadParameter(f'"{text}" is neither a share as 0.1, nor shares by state as c=0.5,h=0.05') from None


# By section of --help, then by field of the recipe: what is expected, and what it is.
_FIELDS: dict[str, dict[str, tuple[Any, str]]] = {
    MODEL: {
        "hidden": (int, "Units per layer and direction."),
        "layers": (int, "Stacked layers."),
        "dropout": (float, "Share of units dropped between layers and before the output."),
    },
    AROUND: {
        "recurrent_dropout": (
            float,
            "Share of units of h that the recurrent product does not see, the same at all steps.",
        ),
        "zoneout": (zoneout, "Share of units that keep their previous state, as 0.1, or by state as c=0.5,h=0.05."),
        "weight_drop": (float, "Share of the recurrent matrix that is zero throughout a training step."),
        "cell_clip": (float, "Keep the carried cell state c within this distance of 0; 0 does not clip."),
        "layer_norm": (bool, "Normalise W x, U h and the cell state inside the output's tanh."),
    },
    TRAINING: {
        "epochs": (int, "Passes over the training data."),
        "batch_size": (int, "Examples per step."),
        "learning_rate": (float, "Adam's learning rate, at its highest."),
        "clip": (float, "Clip the gradient's norm to this; 0 does not clip."),
    },
    TABLE: {
        "text": (str, "The column that holds the text."),
        "label": (str, "The column that holds the class, or for detectors which rows are anomalous."),
        "target": (str, "The column that holds the value to predict; several by commas for forecasts."),
        "time": (str, "The column that holds the time."),
        "series": (str, "The columns that tell series apart, by commas."),
        "known": (str, "Columns that are known ahead, by commas."),
        "past": (str, "Columns that are known only up to now, by commas."),
        "static": (str, "Columns that never change within a series, by commas."),
        "frequency": (str, "The step, as D, H, 15min, W, M; found from the stamps if absent."),
        "missing": (str, "What stands for missing steps: previous, zero, or error."),
        "duplicates": (str, "What stands for rows at the same time: error, mean, sum, first, last."),
        "time_format": (str, 'The format of the time column, as "%d/%m/%Y".'),
        "time_zone": (str, "The zone of stamps that name none, as Europe/Berlin."),
    },
    FORECASTS: {
        "horizon": (int, "Steps to forecast."),
        "window": (int, "Steps that a forecast is made from."),
        "season": (int, "Steps of one season; found from the series if absent."),
        "test_steps": (int, "Last steps of every series to hold back for testing."),
        "refit": (int, "Train again every so many steps of the test part, on all that stands before."),
        "decoder": (str, "How a forecast is answered: direct (all at once), or recursive."),
        "distribution": (str, "What a forecast is: free quantiles, or a normal or student distribution."),
    },
    DETECTORS: {
        "scorer": (str, "What a detector's error is: forecast, or reconstruction."),
        "threshold": (str, "What a detector flags by: quantile, pot, or dynamic."),
        "sensitivity": (float, "Divides a detector's thresholds: a higher one flags more."),
        "context": (int, "Rows of a detector's training windows."),
    },
}


def _option(section: str, kind: Any, text: str) -> Any:
    if inspect.isfunction(kind):
        return Annotated[Any, typer.Option(help=text, rich_help_panel=section, parser=kind, metavar="<share>")]
    return Annotated[Optional[kind], typer.Option(help=text, rich_help_panel=section)]  # noqa: UP045


CHANGING: dict[str, Any] = {
    name: _option(section, kind, text) for section, fields in _FIELDS.items() for name, (kind, text) in fields.items()
}
"""Every option that changes a recipe, by the field that it changes, as typer reads it."""


def changes_a_recipe(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command every option of `CHANGING` in place of its parameter `changes`, and in that those given."""
    own = inspect.signature(command, eval_str=True)
    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own.parameters.values()]
    place = list(own.parameters).index("changes")
    parameters[place : place + 1] = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in CHANGING.items()
    ]

    @functools.wraps(command)
    def given(**options: Any) -> None:
        changing = {name: options.pop(name) for name in CHANGING}
        command(**options, changes={name: value for name, value in changing.items() if value is not None})

    given.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    given.__annotations__ = {p.name: p.annotation for p in parameters}
    return given
