r"""Dynamic time warping: how far two series lie apart once their steps are matched in order.

With $d(i, j)$ the squared distance of step $i$ of one series and step $j$ of the other, over all variables together,

$$ D(i, j) = d(i, j) + \min(D(i - 1, j), D(i, j - 1), D(i - 1, j - 1)) . $$

The distance of two series is the last entry of $D$. Many pairs are computed at once, entry by entry: an entry waits for
those before it, and never for one of another pair.

Source: M. Shokoohi-Yekta, B. Hu, H. Jin, J. Wang and E. Keogh, "Generalizing DTW to the multi-dimensional case requires
an adaptive approach", Data Mining and Knowledge Discovery 31, 2017 (there DTW-D, the dependent form).
"""

from __future__ import annotations

import math

import numpy as np

from gatework.data.inputs import RaggedSeries

_MOST_NUMBERS = 2**21
"""Entries of one row of D that are held at once, of all pairs together."""
_PAIRS = 2**14
"""Pairs that are computed at once: so many numbers stay near the processor."""
_WIDEST = 1024
"""Known series that are computed at once at most: among more of them lengths differ too much."""


def distances(some: RaggedSeries, others: RaggedSeries) -> np.ndarray:
    """The distance of each series to each other one, shape (some, others), float64.

    Args:
        some: Series.
        others: Of the same variables.
    """
    apart = np.empty((len(some), len(others)))
    # Series of about one length go together: shorter ones wait for the longest.
    rows, columns = (np.argsort(each.lengths, kind="stable") for each in (some, others))
    pairs = max(min(_PAIRS, _MOST_NUMBERS // int(others.lengths.max(initial=1))), 1)
    high = max(min(len(rows), math.isqrt(pairs)), 1)
    wide = min(pairs // high, _WIDEST)
    for left in range(0, len(columns), wide):
        known = others[columns[left : left + wide]]
        known_steps = _by_step(known)
        for top in range(0, len(rows), high):
            asked = some[rows[top : top + high]]
            ends = _ends(_by_step(asked), asked.lengths, known_steps, known.lengths)
            apart[np.ix_(rows[top : top + high], columns[left : left + wide])] = ends.T
    return apart


def _by_step(series: RaggedSeries) -> np.ndarray:
    """Their steps, with zeros behind each series' end, shape (steps, series, variables)."""
    lengths = series.lengths
    padded = np.zeros((int(lengths.max()), len(series), series.values.shape[1]), series.values.dtype)
    which = np.repeat(np.arange(len(series)), lengths)
    padded[np.arange(len(series.values)) - np.repeat(series.ends - lengths, lengths), which] = series.values
    return padded


def _ends(one: np.ndarray, lengths: np.ndarray, other: np.ndarray, other_lengths: np.ndarray) -> np.ndarray:
    """The last entry of D of each pair, shape (others, some): one row of D after the other."""
    # (x - y)^2 as one product: of (-2 y, y^2, 1) and (x, 1, x^2).
    known = np.concatenate([-2 * other, (other**2).sum(axis=2, keepdims=True), np.ones_like(other[..., :1])], axis=2)
    asked = np.concatenate([one, np.ones_like(one[..., :1]), (one**2).sum(axis=2, keepdims=True)], axis=2)
    ends = np.empty((other.shape[1], one.shape[1]))
    # Before the first row: D is 0 before its first entry, and nothing can come from anywhere else.
    before = np.full((len(other) + 1, *ends.shape), np.inf, other.dtype)
    before[0] = 0
    now = np.empty_like(before)
    for step, values in enumerate(asked):
        cost = (known.reshape(-1, known.shape[2]) @ values.T).reshape(len(known), *ends.shape)
        np.maximum(cost, 0, out=cost)
        now[0] = np.inf
        np.minimum(before[:-1], before[1:], out=now[1:])
        entries = list(now)
        for left, entry, d in zip(entries[:-1], entries[1:], cost, strict=True):
            np.minimum(entry, left, out=entry)
            np.add(entry, d, out=entry)
        is_last = lengths == step + 1
        if is_last.any():
            ends[:, is_last] = now[other_lengths, np.arange(len(ends))][:, is_last]
        before, now = now, before
    return ends
