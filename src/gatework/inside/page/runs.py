"""What every live page holds of a run: its name, its cell's equations, what it was trained on."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

from gatework.cells._derive import Derivation
from gatework.errors import RunError
from gatework.inside.page.evaluated import evaluated
from gatework.nn import RecurrentLayer
from gatework.pages.step_options import step_options
from gatework.training.run import Run


def equations(run: Run, layer: RecurrentLayer) -> tuple[str, Derivation]:
    """The equations of a run's layer, and their name.

    Raises:
        RunError: Its norms cannot be taken apart step by step.
    """
    name, derivation = evaluated(layer)
    if not derivation.can_be_cut:
        raise RunError(
            f"{run.path} was trained with layer_norm, and the norm of one state of its cell depends on that of "
            "another, which the live page cannot run; inspect a run without it"
        )
    return name, derivation


def shape(layer: RecurrentLayer) -> dict[str, int]:
    """The sizes of layers, as the page's script names them."""
    return {
        "units": layer.hidden_size,
        "layers": layer.num_layers,
        "directions": layer.num_directions,
        "inputs": layer.input_size,
    }


def names_of(runs: Sequence[Run]) -> list[str]:
    """The cells where these tell the runs apart, else the folders."""
    cells = [run.recipe.model.cell_name for run in runs]
    if len(set(cells)) == len(cells):
        return cells
    folders = [run.path.resolve().name for run in runs]
    return folders if len(set(folders)) == len(folders) else [str(run.path) for run in runs]


def described(run: Run) -> dict[str, Any]:
    """What is said of a run: its cell, its data and its metrics."""
    model = run.recipe.model
    return {
        "cell": model.cell_name,
        "around": step_options(dataclasses.asdict(model)),
        "dataset": os.path.basename(run.recipe.data.dataset),
        "seed": run.recipe.training.seed,
        "metrics": run.summary.get("metrics", {}),
        "parameters": sum(parameter.numel() for parameter in run.network.parameters()),
    }
