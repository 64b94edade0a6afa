"""Units ranked by how well they separate or follow something: a class, the position, a quotation, the slope."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data.tokens import tokenise
from gatework.errors import UsageError
from gatework.inside.traces import DIRECTIONS, Trace

if TYPE_CHECKING:
    import polars as pl

_QUOTES = '"“”„«»'


def rank_units(trace: Trace, what: Any, *, name: str | None = None, inputs: Any = None) -> pl.DataFrame:
    """Every unit with how well its value tells something, best first.

    A thing of two kinds (a class, inside quotation marks or not) is scored by the area under the ROC curve, made
    symmetric: 0.5 tells nothing, 1 separates perfectly. A class of more than two kinds is scored by the share of the
    unit's variance between classes, and a number by the absolute rank correlation.

    Args:
        trace: The trace.
        what: "position" (the step's number), "slope" (whether the series rises into this step); one class or value per
            sequence, shape (batch,), compared with the unit at the sequence's last step (its first one for the backward
            direction, which ends there); or one value per step, a list with one array per sequence.
        name: The gate or state to look at; the cell's long-term state if None: `c` where there is one, else `h`.
        inputs: For "slope": the series, shape (batch, time) or (batch, time, 1).

    Returns:
        Columns `layer, direction, unit, score, sign`; the sign is 1 where the unit is higher for the higher class or
        value, else -1.

    Raises:
        UsageError: What is to be followed does not fit the trace, or never changes.
    """
    import polars as pl

    name = name or trace.spec.states[-1]
    values = trace[name]
    is_per_step, signal = _signal(trace, what, inputs)
    rows = []
    for layer, direction, unit in np.ndindex(values.shape[0], values.shape[1], values.shape[-1]):
        unit_values = values[layer, direction, :, :, unit]
        seen = unit_values.T[trace.is_step.T] if is_per_step else _ends(unit_values, trace.lengths, direction)
        score, sign = _score(seen.astype(np.float64), signal)
        rows.append((layer, DIRECTIONS[direction], unit, score, sign))
    schema = ["layer", "direction", "unit", "score", "sign"]
    return pl.DataFrame(rows, schema=schema, orient="row").sort("score", descending=True, maintain_order=True)


def inside_quotes(text: str) -> np.ndarray:
    """Whether each token of a text stands inside quotation marks, shape (tokens,), bool.

    Quotation marks are no tokens themselves: each one ends the token before it and turns the answer round.
    """
    import polars as pl

    pieces, is_inside = [""], [False]
    for character in text:
        if character in _QUOTES:
            pieces.append("")
            is_inside.append(not is_inside[-1])
        else:
            pieces[-1] += character
    counts = tokenise(pl.Series(pieces, dtype=pl.String)).lengths
    return np.repeat(np.array(is_inside), counts)


def _signal(trace: Trace, what: Any, inputs: Any) -> tuple[bool, np.ndarray]:
    """Whether there is a value for every step, and all values in the order of sequences, then steps."""
    if isinstance(what, str):
        if what not in ("position", "slope"):
            raise UsageError(f'units can follow "position" or "slope", or values of your own; got "{what}"')
        per_step = [np.arange(length) for length in trace.lengths] if what == "position" else _slopes(trace, inputs)
    elif len(what) and np.ndim(what[0]) == 0:
        signal = np.asarray(what)
        _check(len(signal) == len(trace.lengths), f"{len(trace.lengths)} values, one per sequence", len(signal))
        return False, _changing(signal)
    else:
        per_step = [np.asarray(steps) for steps in what]
    given, wanted = [len(steps) for steps in per_step], trace.lengths.tolist()
    _check(given == wanted, f"one value for each of the {wanted} steps", given)
    return True, _changing(np.concatenate(per_step))


def _slopes(trace: Trace, inputs: Any) -> list[np.ndarray]:
    if inputs is None:
        raise UsageError('to follow the "slope", give the series as inputs=')
    series = np.asarray(inputs, dtype=np.float64).reshape(len(trace.lengths), -1)
    return [
        np.diff(values[:length], prepend=values[0]) > 0 for values, length in zip(series, trace.lengths, strict=True)
    ]


def _check(is_right: bool, expected: str, given: Any) -> None:
    if not is_right:
        raise UsageError(f"units can be ranked by {expected}; got {given}")


def _changing(signal: np.ndarray) -> np.ndarray:
    if len(np.unique(signal)) < 2:
        raise UsageError("what the units should tell never changes in these sequences; give sequences in which it does")
    return signal


def _ends(values: np.ndarray, lengths: Sequence[int] | np.ndarray, direction: int) -> np.ndarray:
    """The last value that each sequence's scan computed, from shape (time, batch)."""
    last = np.maximum(np.asarray(lengths) - 1, 0) if direction == 0 else np.zeros(len(lengths), dtype=np.int64)
    return values[last, np.arange(values.shape[1])]


def _score(values: np.ndarray, signal: np.ndarray) -> tuple[float, int]:
    from scipy.stats import spearmanr
    from sklearn.metrics import roc_auc_score

    if np.ptp(values) == 0:
        return (0.0 if signal.dtype.kind == "f" else 0.5), 1
    kinds = np.unique(signal)
    if len(kinds) == 2:
        area = float(roc_auc_score(signal == kinds[1], values))
        return max(area, 1 - area), 1 if area >= 0.5 else -1
    if signal.dtype.kind in "OUS":
        return _between(values, signal), 1
    correlation = float(spearmanr(values, signal).statistic)
    return abs(correlation), 1 if correlation >= 0 else -1


def _between(values: np.ndarray, classes: np.ndarray) -> float:
    """The share of the variance that lies between classes (eta squared)."""
    parts = [values[classes == kind] for kind in np.unique(classes)]
    between = sum(len(part) * (part.mean() - values.mean()) ** 2 for part in parts)
    return float(between / (len(values) * values.var()))
