"""Data sets, one file each, and the registry that `gatework datasets` and `gatework.data.load` read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gatework._registry import Registry, note_module
from gatework.data.reading import Reading
from gatework.data.sets import anomalies, timeseries
from gatework.data.sets._spec import SetSpec
from gatework.data.tables import Table, read_table
from gatework.errors import UsageError

if TYPE_CHECKING:
    from gatework.options import DataOptions

__all__ = ["REGISTRY", "SetSpec", "label_of", "register", "table_of"]

_HOME = "gatework.data.sets"
_BUILT_IN: dict[str, SetSpec | str] = {
    "waves": f"{_HOME}.waves:SPEC",
    "waves-original": f"{_HOME}.waves:SPEC_ORIGINAL",
    "imdb": f"{_HOME}.imdb:SPEC",
    "sentence-polarity": f"{_HOME}.sentence_polarity:SPEC",
    "single-digits": f"{_HOME}.spoken_digits:SINGLE",
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


def label_of(source: Any) -> str | None:
    """The column of a registered data set by which answers are measured that are learnt without it."""
    return REGISTRY[source].label if isinstance(source, str) and source in REGISTRY else None


def table_of(source: Any, config: DataOptions) -> Table:
    """A table: of a registered data set, of a file, or a frame.

    Raises:
        UsageError: The data set is no table.
        DataError: The table cannot be read.
    """
    if isinstance(source, Table):
        return source
    if not (isinstance(source, str) and source in REGISTRY):
        return read_table(source, Reading.given(config))
    spec = REGISTRY[source]
    loaded = spec.load(config) if spec.is_table else None
    if not isinstance(loaded, Table):
        raise UsageError(f'"{source}" is no table with a time column; name a file, or another data set')
    return replace(loaded, name=spec.name, licence=spec.licence)
