"""Looking inside a comparison: the live page of its networks, and how much gradient reaches back in each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from gatework._files import write_json
from gatework.data.dataset import Split
from gatework.errors import GateworkError
from gatework.inside.gradients import Finding, GradientFlow, gradient_flow
from gatework.inside.page.arguments import runs_of
from gatework.inside.page.presets import stored_test_part
from gatework.inside.page.write import write_page
from gatework.training.run import Run

_EXAMPLES = 24
_PAGE, _FIGURES = "inspect.html", "inside.json"


def look_inside(folder: str | os.PathLike[str]) -> Path | None:
    """Writes `inspect.html` and `inside.json` into a comparison folder, for the first seed of each cell.

    Args:
        folder: A comparison folder with finished runs and its test part.

    Returns:
        The live page; None where the task's networks cannot run in a page, and then nothing is written.
    """
    folder = Path(folder)
    try:
        runs = runs_of(folder)
        page = write_page(runs, folder / _PAGE)
        test = stored_test_part(runs[0], folder / "test.parquet")
    except GateworkError:
        return None
    examples = test.take(_chosen(test))
    write_json(folder / _FIGURES, {"page": _PAGE, "gradients": [gradients(run, examples) for run in runs]})
    return page


def gradients(run: Run, examples: Split) -> dict[str, Any]:
    """The gradient curves of a run's top layer at the start and after training, as values that JSON can hold."""
    flows = {at: gradient_flow(run, examples, at=at) for at in ("start", "trained")}
    return {
        "name": run.recipe.model.cell_name,
        "pooling": run.recipe.model.pooling,
        **{at: _curve(flow) for at, flow in flows.items()},
    }


def _curve(flow: GradientFlow) -> dict[str, Any]:
    finding: Finding = flow.finding()
    carried = flow.carried_curve()
    return {
        "norm": _numbers(flow.curve()),
        "carried": None if carried is None else _numbers(carried),
        "finding": finding.name,
        "sentence": finding.sentence(flow.spec.name),
        "reach": finding.reach,
        "earliest": finding.earliest,
    }


def _numbers(values: np.ndarray) -> list[float | None]:
    """Few digits; None, a gap, where nothing is left or known."""
    return [float(f"{v:.4g}") if np.isfinite(v) and v > 0 else None for v in values]


def _chosen(test: Split) -> np.ndarray:
    """Some examples: of texts the longest of a random part, as a short one says nothing of long memory."""
    if isinstance(test.inputs, np.ndarray):
        return np.arange(min(_EXAMPLES, len(test)))
    part = test.inputs.strings.head(20 * _EXAMPLES).str.len_chars().to_numpy()
    return np.argsort(-part, kind="stable")[:_EXAMPLES]
