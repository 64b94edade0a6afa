"""Data: raw files to a Dataset, and a Dataset to batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.data._load import load, load_inputs, load_split
    from gatework.data.dataset import Batch, Dataset, Examples, Provenance, Split
    from gatework.data.sets import REGISTRY, SetSpec, register
    from gatework.data.tables import Table, read_table

__all__ = [
    "REGISTRY",
    "Batch",
    "Dataset",
    "Examples",
    "Provenance",
    "SetSpec",
    "Split",
    "Table",
    "load",
    "load_inputs",
    "load_split",
    "read_table",
    "register",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_load": ("load", "load_inputs", "load_split"),
        "dataset": ("Batch", "Dataset", "Examples", "Provenance", "Split"),
        "sets": ("REGISTRY", "SetSpec", "register"),
        "tables": ("Table", "read_table"),
    },
)
