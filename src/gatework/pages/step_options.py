"""What acts around a cell at every step, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatework.options import AROUND


def step_options(model: Mapping[str, Any]) -> str:
    """What acts around the cell at every step, as "zoneout 0.1, layer norm", of a recipe's model; "" where nothing."""
    parts = []
    for field in AROUND:
        value, name = model.get(field), field.replace("_", " ")
        if isinstance(value, Mapping):
            parts.append(f"{name} {' and '.join(f'{state} {share:g}' for state, share in value.items())}")
        elif value:
            parts.append(name if value is True else f"{name} {value:g}")
    return ", ".join(parts)
