"""Six tables with a time column, for forecasting; built in. `series/README.md` holds their sources and licences."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gatework.data.sets._spec import SetSpec

if TYPE_CHECKING:
    from gatework.config import DataConfig, Recipe
    from gatework.data.dataset import Dataset

FOLDER = Path(__file__).with_name("series")

_SETS = {
    "airline": ("144 months of international airline passengers, 1949-1960", "MIT"),
    "co2": ("820 months of carbon dioxide at Mauna Loa, 1958-2026", "PDDL 1.0"),
    "sunspots": ("309 years of sunspot numbers, 1700-2008", "public domain"),
    "retail": ("293 months of US retail sales, 1992-2016", "MIT"),
    "weather": ("1,461 days of weather in Seattle, 2012-2015", "public domain"),
    "stocks": ("daily prices of five US stocks, 2000-2013; close to a random walk", "public domain"),
}


def _load(name: str, recipe: Recipe) -> Dataset:
    from gatework.data.tables import read_table
    from gatework.tasks.forecast.data import forecast_dataset

    table = read_table(FOLDER / f"{name}.csv.gz")
    return forecast_dataset(table, recipe, licence=_SETS[name][1], name=name)


def _load_usual(name: str, _: DataConfig) -> Dataset:
    from gatework.config import find_recipe

    return _load(name, find_recipe(name))


SPECS = tuple(
    SetSpec(name, title, "forecast", "forecast", name, licence, True, partial(_load_usual, name), partial(_load, name))
    for name, (title, licence) in _SETS.items()
)
