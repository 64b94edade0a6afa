"""What a person names on the command line: run folders, a comparison folder, and perhaps inputs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gatework.errors import RunError, UsageError
from gatework.inside.page.live import has_own_part
from gatework.training.hub import fetched, is_address
from gatework.training.run import Run


def sorted_arguments(arguments: Sequence[str]) -> tuple[list[Run], Any, Path]:
    """The runs, the inputs, and the folder that was named first.

    Args:
        arguments: Folders or addresses of runs, or one comparison folder; then at most one text, series or file.

    Raises:
        RunError: A folder is neither a run nor a comparison.
        UsageError: No folder comes first, or more than one input follows.
    """
    arguments = [str(fetched(argument)) if is_address(argument) else argument for argument in arguments]
    folders = [argument for argument in arguments if os.path.isdir(argument)]
    others = [argument for argument in arguments if not os.path.isdir(argument)]
    if not folders or not os.path.isdir(arguments[0]):
        Run.open(Path(arguments[0]))  # says what is there instead
    if len(others) > 1:
        raise UsageError(f"one text or file of inputs can be given, and these are {len(others)}: {', '.join(others)}")
    home = Path(folders[0])
    runs = [run for folder in folders for run in runs_of(Path(folder))]
    if not others:
        return runs, None, home
    if not others[0].strip():
        raise UsageError('the text is empty; give one with a word, as in gatework inspect RUN "a good film"')
    split = runs[0].task.read(others[0], runs[0].recipe)
    return runs, split if has_own_part(runs[0]) else split.inputs, home


def runs_of(folder: Path) -> list[Run]:
    """The run in a folder, or the first seed of each cell of a comparison.

    Raises:
        RunError: It is neither, or the comparison has no finished run.
    """
    if (folder / "recipe.toml").exists() or not (folder / "plan.json").exists():
        return [Run.open(folder)]
    paths = sorted((folder / "runs").glob("*-seed0"))
    runs = [run for run in map(Run.open, paths) if run.is_finished]
    if not runs:
        raise RunError(f"{folder} holds no finished run yet; repeat its own gatework compare to go on with it")
    order = ["rnn", "rnn_relu", "gru", "lstm"]
    return sorted(runs, key=lambda run: order.index(run.recipe.model.cell) if run.recipe.model.cell in order else 9)
