"""Three series with labelled anomalies, of the Numenta Anomaly Benchmark; built in. `README.md` holds the licence."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gatework.data.sets._spec import SetSpec

if TYPE_CHECKING:
    from gatework.config import DataConfig, Recipe
    from gatework.data.dataset import Dataset
    from gatework.data.tables import Table

LICENCE = "MIT, Numenta Inc."
RECIPE = "sensor"
_SETS = {
    "nyc-taxi": "taxi passengers per half hour for seven months, five labelled anomalies; built in",
    "machine-temperature": "a machine's sensor every 5 minutes for eleven weeks, four labelled anomalies; built in",
    "daily-jumps": "an artificial daily cycle with one labelled jump; built in",
}


def table(name: str) -> Table:
    """The table of a set: `timestamp`, `value` and `anomaly`, which is 1 within labelled windows."""
    from gatework.data.tables import read_table

    return read_table(Path(__file__).with_name(f"{name}.csv.gz"))


def is_built_in(name: object) -> bool:
    """Whether there is a set of that name."""
    return isinstance(name, str) and name in _SETS


def _load(name: str, recipe: Recipe) -> Dataset:
    from gatework.tasks.detect.data import detection_dataset

    return detection_dataset(table(name), recipe, licence=LICENCE, name=name)


def _load_usual(name: str, _: DataConfig) -> Dataset:
    from gatework.config import find_recipe

    return _load(name, find_recipe(RECIPE))


SPECS = tuple(
    SetSpec(name, title, "detect", "detect", RECIPE, LICENCE, True, partial(_load_usual, name), partial(_load, name))
    for name, title in _SETS.items()
)
