"""Data sets, one file each, and the registry that `gatework datasets` and `gatework.data.load` read."""

from __future__ import annotations

from gatework._registry import Registry, note_module
from gatework.data.sets import anomalies, imdb, sentence_polarity, timeseries, waves
from gatework.data.sets._spec import SetSpec
from gatework.errors import UsageError

__all__ = ["REGISTRY", "SetSpec", "find_table", "register"]

_SPECS = (
    waves.SPEC,
    waves.SPEC_ORIGINAL,
    imdb.SPEC,
    sentence_polarity.SPEC,
    *timeseries.SPECS,
    *anomalies.SPECS,
)
REGISTRY: Registry[SetSpec] = Registry("data set", "gatework.datasets", {spec.name: spec for spec in _SPECS})
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
