"""Data sets, one file each, and the registry that `gatework datasets` and `gatework.data.load` read."""

from __future__ import annotations

from gatework._registry import Registry, note_module
from gatework.data.sets import anomalies, timeseries
from gatework.data.sets._spec import SetSpec
from gatework.errors import UsageError

__all__ = ["REGISTRY", "SetSpec", "find_table", "register"]

_HOME = "gatework.data.sets"
_BUILT_IN: dict[str, SetSpec | str] = {
    "waves": f"{_HOME}.waves:SPEC",
    "waves-original": f"{_HOME}.waves:SPEC_ORIGINAL",
    "imdb": f"{_HOME}.imdb:SPEC",
    "sentence-polarity": f"{_HOME}.sentence_polarity:SPEC",
    "spoken-digits": f"{_HOME}.spoken_digits:SPEC",
    "tatoeba-french": f"{_HOME}.tatoeba_french:SPEC",
    **{spec.name: spec for spec in (*timeseries.SPECS, *anomalies.SPECS)},
}
REGISTRY: Registry[SetSpec] = Registry("data set", "gatework.datasets", _BUILT_IN)
"""Every data set by its name: the built-in ones, those of installed packages, and a person's own."""


def register(spec: SetSpec) -> SetSpec:
    """Adds a data set of a person's own.

    Raises:
        UsageError: A built-in data set has the name.
    """
    REGISTRY.register(spec.name, spec)
    note_module(spec.load.__module__)
    return spec


def find_table(name: str) -> SetSpec:
    """The registered data set of that name, which is a table.

    Raises:
        UsageError: There is none, or it is no table.
    """
    spec = REGISTRY.find(name)
    if not spec.is_table:
        raise UsageError(f'"{name}" is no table with a time column; name a file, or another data set')
    return spec
