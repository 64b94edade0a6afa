"""Three series with labelled anomalies, of the Numenta Anomaly Benchmark; built in. `README.md` holds the licence."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gatework import data
from gatework.data.sets._spec import SetSpec

if TYPE_CHECKING:
    from gatework.data.tables import Table
    from gatework.options import DataOptions

__all__ = ["SPECS"]

LICENCE = "MIT, Numenta Inc."
RECIPE = "sensor"
_SETS = {
    "nyc-taxi": "taxi passengers per half hour for seven months, five labelled anomalies; built in",
    "machine-temperature": "a machine's sensor every 5 minutes for eleven weeks, four labelled anomalies; built in",
    "daily-jumps": "an artificial daily cycle with one labelled jump; built in",
}


def _load(name: str, _: DataOptions) -> Table:
    """The table of a set: `timestamp`, `value` and `anomaly`, which is 1 within labelled windows."""
    return data.read_table(Path(__file__).with_name(f"{name}.csv.gz"))


SPECS = tuple(
    SetSpec(
        name=name,
        title=title,
        licence=LICENCE,
        load=partial(_load, name),
        recipe=RECIPE,
        label="anomaly",
        is_table=True,
    )
    for name, title in _SETS.items()
)
