"""Looking inside a comparison: the live page of its networks, and how much gradient reaches back in each."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gatework._files import make_folder, read_json, write_json
from gatework.cells import BUILT_IN
from gatework.data.dataset import Split
from gatework.data.text import Texts
from gatework.errors import GateworkError
from gatework.inside.gradients import Finding, GradientFlow, Moment, gradient_flow
from gatework.inside.page.arguments import runs_of
from gatework.inside.page.presets import stored_test_part
from gatework.inside.page.write import write_page
from gatework.inside.playground import CELLS, write_playground
from gatework.tasks._sequence import SequenceTask
from gatework.training.run import Run

_EXAMPLES = 24
_PAGE, _PLAYGROUND, _FIGURES, _GRADIENTS = "inspect.html", "playground.html", "inside.json", "gradients"


def look_inside(folder: str | os.PathLike[str]) -> Path | None:
    """Writes `inspect.html`, with the first seed of each cell, the playground and `inside.json` beside a comparison.

    Args:
        folder: A comparison folder with finished runs and its test part.

    Returns:
        The live page; None where the networks cannot run in one, and then nothing is written.
    """
    folder = Path(folder)
    runs, page = runs_of(folder), None
    with contextlib.suppress(GateworkError):
        page = write_page(runs, folder / _PAGE)
    if page is None:
        return None
    flows = [_kept(folder, run) or _gradients(folder, run) for run in runs if isinstance(run.task, SequenceTask)]
    write_playground(folder / _PLAYGROUND, _built_in(runs) or CELLS)
    write_json(folder / _FIGURES, {"page": _PAGE, "playground": _PLAYGROUND, "gradients": flows})
    return page


def keep_gradients(folder: str | os.PathLike[str], name: str, seeds: int) -> None:
    """Computes how much gradient reaches back in the networks of a cell, and keeps it for `look_inside()`.

    Nothing is kept where they are not all trained yet, or where that cannot be said of them.

    Args:
        folder: The folder of a comparison, in which others may still train.
        name: The cell's name.
        seeds: How many networks of it there will be.
    """
    folder = Path(folder)
    run = Run.open(folder / "runs" / f"{name}-seed0")
    if not isinstance(run.task, SequenceTask) or len(_seeds(run)) < seeds:
        return
    with contextlib.suppress(GateworkError):
        flows = _gradients(folder, run)
        make_folder(folder / _GRADIENTS)
        write_json(folder / _GRADIENTS / f"{name}.json", flows)


def _kept(folder: Path, run: Run) -> dict[str, Any] | None:
    """What `keep_gradients()` has kept of a cell, by the first of its runs."""
    file = folder / _GRADIENTS / f"{run.path.name.removesuffix('-seed0')}.json"
    return read_json(file) if file.exists() else None


def _gradients(folder: Path, run: Run) -> dict[str, Any]:
    """The gradients of all seeds of a run on examples of the stored test part."""
    test = stored_test_part(run, folder / "test.parquet")
    return gradients(_seeds(run), test.take(_chosen(test)))


def _built_in(runs: Sequence[Run]) -> list[str]:
    """The cells of these runs that are known by their names alone."""
    cells = (run.recipe.model.cell for run in runs)
    return [cell for cell in dict.fromkeys(cells) if cell in BUILT_IN]


def gradients(runs: Sequence[Run], examples: Split) -> dict[str, Any]:
    """How much gradient reaches back in the top layer, at the start and after training, as values that JSON can hold.

    Args:
        runs: The seeds of one cell; the first gives the curves, all of them what the curves amount to.
        examples: What is read.
    """
    model = runs[0].recipe.model
    moments: tuple[Moment, ...] = ("start", "trained")
    flows = {at: [gradient_flow(run, examples, at=at) for run in runs] for at in moments}
    return {"name": model.cell_name, "pooling": model.pooling} | {
        at: _curve(flows_of_seeds) for at, flows_of_seeds in flows.items()
    }


def _seeds(run: Run) -> list[Run]:
    """Every finished seed of a comparison's run, in order."""
    stem = run.path.name.removesuffix("0")
    paths = sorted(run.path.parent.glob(f"{stem}*"), key=lambda path: int(path.name.removeprefix(stem)))
    return [seed for seed in map(Run.open, paths) if seed.is_finished]


def _curve(flows: Sequence[GradientFlow]) -> dict[str, Any]:
    flow = flows[0]
    finding: Finding = flow.finding()
    carried = flow.carried_curve()
    return {
        "by_seed": [one.finding().brief for one in flows],
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
    if not isinstance(test.inputs, Texts):
        return np.arange(min(_EXAMPLES, len(test)))
    part = test.inputs.strings.head(20 * _EXAMPLES).str.len_chars().to_numpy()
    return np.argsort(-part, kind="stable")[:_EXAMPLES]
