"""Data: raw files to a Dataset, and a Dataset to batches."""

from gatework.data._load import load
from gatework.data.dataset import Batch, Dataset, Examples, Provenance, Split

__all__ = ["Batch", "Dataset", "Examples", "Provenance", "Split", "load"]
