"""What the parts of a watch carry from row to row, as values that JSON can hold, by the names of their attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gatework.tasks._live import short_numbers
from gatework.tasks.detect.thresholds import Window

_LEFT_OUT = frozenset({"network", "config", "periods"})
# Digits of scales and the like, which are few, and of what is remembered of many rows.
_EXACT, _DIGITS, _FEW = 17, 12, 64


def carried(part: object) -> Any:
    """What a part holds; `_until_update` becomes "untilUpdate", NaN becomes None, and networks and settings are left
    out.

    Args:
        part: A watch, or anything that it holds.
    """
    if part is None or isinstance(part, (bool, int, str)):
        return part
    if isinstance(part, (float, np.floating)):
        return float(part) if np.isfinite(part) else None
    if isinstance(part, Window):
        return {"size": part.size, "values": short_numbers(part.values(), _DIGITS)}
    if hasattr(part, "numpy"):
        part = part.numpy()
    if isinstance(part, np.ndarray) and part.dtype.kind != "f":
        return part.astype(np.int64).tolist()
    if isinstance(part, np.ndarray):
        return short_numbers(part, _DIGITS if part.size > _FEW else _EXACT)
    if isinstance(part, (list, tuple)):
        return [carried(one) for one in part]
    attributes: Mapping[str, Any] = part if isinstance(part, Mapping) else vars(part)
    return {_camel(name): carried(value) for name, value in attributes.items() if name not in _LEFT_OUT}


def _camel(name: str) -> str:
    first, *others = name.strip("_").split("_")
    return first + "".join(word.capitalize() for word in others)
