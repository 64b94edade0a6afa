"""How often gates are nearly closed or nearly open.

Source: A. Karpathy, J. Johnson and L. Fei-Fei, "Visualizing and understanding recurrent networks", 2015, section 4.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gatework.errors import UsageError
from gatework.inside._equations import logistic_gates
from gatework.inside.traces import DIRECTIONS, Trace

if TYPE_CHECKING:
    import polars as pl

CLOSED, OPEN = 0.1, 0.9


def saturation(trace: Trace) -> pl.DataFrame:
    """The share of steps at which each unit of each gate is below 0.1 and above 0.9.

    Args:
        trace: The trace; only steps within their sequences count.

    Returns:
        Columns `layer, direction, gate, unit, closed, open`; "closed" and "open" are shares from 0 to 1.

    Raises:
        UsageError: The cell has no gate between 0 and 1, as the vanilla RNN.
    """
    import polars as pl

    gates = logistic_gates(trace.spec)
    if not gates:
        raise UsageError(f'the cell "{trace.spec.name}" has no gate that closes or opens; look at a GRU or an LSTM')
    rows = []
    for gate in gates:
        values = trace[gate][:, :, trace.is_step]  # (layers, directions, steps, units)
        closed, is_open = (values < CLOSED).mean(axis=2), (values > OPEN).mean(axis=2)
        for layer, direction, unit in np.ndindex(closed.shape):
            place = (layer, direction, unit)
            rows.append((layer, DIRECTIONS[direction], gate, unit, float(closed[place]), float(is_open[place])))
    return pl.DataFrame(rows, schema=["layer", "direction", "gate", "unit", "closed", "open"], orient="row")
