"""Six tables with a time column; built in. `series/README.md` holds their sources and licences."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gatework import data
from gatework.data.sets._spec import SetSpec

if TYPE_CHECKING:
    from gatework.data.tables import Table
    from gatework.options import DataOptions

FOLDER = Path(__file__).with_name("series")

_SETS = {
    "airline": ("144 months of international airline passengers, 1949-1960", "MIT"),
    "co2": ("820 months of carbon dioxide at Mauna Loa, 1958-2026", "PDDL 1.0"),
    "sunspots": ("309 years of sunspot numbers, 1700-2008", "public domain"),
    "retail": ("293 months of US retail sales, 1992-2016", "MIT"),
    "weather": ("1,461 days of weather in Seattle, 2012-2015", "public domain"),
    "stocks": ("daily prices of five US stocks, 2000-2013; close to a random walk", "none stated: public prices"),
}


def _load(name: str, _: DataOptions) -> Table:
    return data.read_table(FOLDER / f"{name}.csv.gz")


SPECS = tuple(
    SetSpec(name=name, title=title, licence=licence, load=partial(_load, name), recipe=name, is_table=True)
    for name, (title, licence) in _SETS.items()
)
