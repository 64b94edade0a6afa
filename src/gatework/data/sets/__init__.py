"""Data sets, one file each, and the registry that `gatework datasets` and `gatework.data.load` read."""

from __future__ import annotations

from gatework.data.sets import anomalies, imdb, sentence_polarity, timeseries, waves
from gatework.data.sets._spec import SetSpec

__all__ = ["REGISTRY", "SetSpec"]

_SPECS = (
    waves.SPEC,
    waves.SPEC_ORIGINAL,
    imdb.SPEC,
    sentence_polarity.SPEC,
    *timeseries.SPECS,
    *anomalies.SPECS,
)
REGISTRY: dict[str, SetSpec] = {spec.name: spec for spec in _SPECS}
