r"""How long a unit remembers: the half-life that its forget gate implies.

Along $c_t = f_t \odot c_{t-1} + \dots$ what stood in the cell $k$ steps ago is multiplied by $f_t f_{t-1} \cdots
f_{t-k+1}$. With the geometric mean $\bar f$ of a unit's forget gate it is halved after
$\ln \tfrac12 / \ln \bar f$ steps. The update gate $z$ of a GRU plays the same part for $h$.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gatework.errors import UsageError
from gatework.inside._equations import retention_gates
from gatework.inside.traces import DIRECTIONS, Trace

if TYPE_CHECKING:
    import polars as pl


def retention(trace: Trace) -> dict[str, np.ndarray]:
    """The gate that multiplies the previous value of each state that has one, as `{"c": f}`.

    Returns:
        By state: values between 0 and 1, shape (layers, directions, time, batch, units).

    Raises:
        UsageError: The cell has no such gate, as the vanilla RNN.
    """
    gates = retention_gates(trace.spec)
    if not gates:
        raise UsageError(
            f'the cell "{trace.spec.name}" has no gate that keeps its state, so no half-life; look at a GRU or an LSTM'
        )
    return {state: trace[gate] for state, gate in gates.items()}


def half_lives(trace: Trace, among: np.ndarray | None = None) -> pl.DataFrame:
    """The half-life of each unit's memory, in steps.

    Args:
        trace: The trace; only steps within their sequences count.
        among: Which steps count, shape (steps, sequences), bool, such as those at which nothing is to be written; all
            if None.

    Returns:
        Columns `layer, direction, state, unit, kept, half_life`: the geometric mean of the gate, and the steps after
        which half of what was stored is left; infinite where the gate was 1 at every step. Longest first.

    Raises:
        UsageError: The cell has no gate that keeps its state, or no step counts.
    """
    import polars as pl

    is_counted = trace.is_step if among is None else trace.is_step & np.asarray(among, dtype=bool)
    if not is_counted.any():
        raise UsageError("there is no step over which to take a half-life; mark one at least in `among`")
    rows = []
    for state, gate in retention(trace).items():
        values = gate[:, :, is_counted].astype(np.float64)
        with np.errstate(divide="ignore"):
            log_kept = np.log(values).mean(axis=2)
            half = np.log(0.5) / np.minimum(log_kept, 0.0)
        for layer, direction, unit in np.ndindex(log_kept.shape):
            place = (layer, direction, unit)
            kept, steps = float(np.exp(log_kept[place])), abs(float(half[place]))
            rows.append((layer, DIRECTIONS[direction], state, unit, kept, steps))
    schema = ["layer", "direction", "state", "unit", "kept", "half_life"]
    return pl.DataFrame(rows, schema=schema, orient="row").sort("half_life", descending=True, maintain_order=True)
