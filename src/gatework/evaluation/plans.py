"""What every comparison has in common: cells and seeds that make sense, and a folder that holds one plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gatework._files import is_occupied, make_folder, read_json, write_json
from gatework.cells import get as get_cell
from gatework.errors import RunError, UsageError


def check_cells_and_seeds(cells: Sequence[str], seeds: int) -> None:
    """Refuses what cannot be compared.

    Raises:
        UsageError: A cell is unknown or named twice, there is none, or there is no seed.
    """
    if not cells or len({get_cell(cell).name for cell in cells}) < len(cells):
        raise UsageError("the cells to compare must be named, each once, as in --cells rnn,gru,lstm")
    if seeds < 1:
        raise UsageError(f"seeds is {seeds}, expected 1 or more")


def claim(out: Path, plan: Mapping[str, Any], kind: str = "comparison") -> None:
    """Makes a folder the place of a plan, or finds that it is that already.

    Args:
        out: The folder.
        plan: The plan as values that JSON can hold; kept in the folder as `plan.json`.
        kind: What the folder is to hold, for messages.

    Raises:
        RunError: The folder holds something else, or another plan.
    """
    file = out / "plan.json"
    if file.exists():
        before = read_json(file)
        changed = [name for name in plan if before.get(name) != plan[name]]
        if changed:
            raise RunError(
                f"{out} holds a {kind} of another plan (its {', '.join(changed)} differ); "
                f"repeat its own command to go on with it, or name another folder with --out"
            )
        return
    if is_occupied(out):
        raise RunError(f"{out} exists already and holds something else; name another folder with --out")
    make_folder(out)
    write_json(file, dict(plan))
