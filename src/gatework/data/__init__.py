"""Data: raw files to a Dataset, and a Dataset to batches."""

from gatework.data._load import load, load_inputs, load_split
from gatework.data.dataset import Batch, Dataset, Examples, Provenance, Split
from gatework.data.sets import REGISTRY, SetSpec, register

__all__ = [
    "REGISTRY",
    "Batch",
    "Dataset",
    "Examples",
    "Provenance",
    "SetSpec",
    "Split",
    "load",
    "load_inputs",
    "load_split",
    "register",
]
