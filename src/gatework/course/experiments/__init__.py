"""What was measured where a lesson cannot measure it: figures, each with the command that gives them again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gatework._files import read_json
from gatework.errors import UsageError, nearest

if TYPE_CHECKING:
    import polars as pl

_HOME = Path(__file__).parent


def figures(name: str) -> pl.DataFrame:
    """A table of measured figures.

    Args:
        name: Of the measurement, as "digits-of-people".

    Raises:
        UsageError: There is none of that name.
    """
    import polars as pl

    names = [path.stem for path in _HOME.glob("*.json")]
    if name not in names:
        raise UsageError(f'there are no figures "{name}": {nearest(name, names)}')
    return pl.DataFrame(read_json(_HOME / f"{name}.json")["rows"])
