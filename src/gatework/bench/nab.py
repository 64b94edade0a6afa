r"""The NAB score: how early and how cleanly a detector reports the labelled windows of a corpus.

Lavin & Ahmad (2015), "Evaluating real-time anomaly detection algorithms: the Numenta Anomaly Benchmark",
https://arxiv.org/abs/1510.03336, with the rules as the benchmark's own code has them (version 1.1):

- A labelled window of $w$ rows that ends at row $r$ gives the first flagged row $i$ in it, if there is one,
  $$ \frac{\sigma(-(r - i + 1) / w)}{\sigma(-1)}, \qquad \sigma(y) = \frac{2}{1 + e^{5 y}} - 1, $$
  times the weight of a true positive; later flagged rows in it neither add nor cost. A window without any costs the
  weight of a false negative.
- A flagged row outside every window costs: $\sigma((i - r) / (w - 1))$ for the window before it, $-1$ beyond three
  widths or where there is none before it; times the weight of a false positive.
- The first rows of a series, 15 % of it and at most 750, are for learning and count neither way.
- One threshold serves the whole corpus: the one that gives the largest sum.
- The sum is reported so that a detector that never flags gets 0 and a perfect one 100.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

PROBATION = 0.15
_PROBATION_ROWS = 5000
_FAR = 3.0


@dataclass(frozen=True)
class Profile:
    """What each outcome weighs."""

    true_positive: float = 1.0
    false_positive: float = 0.11
    false_negative: float = 1.0


STANDARD = Profile()
PROFILES: Mapping[str, Profile] = {
    "standard": STANDARD,
    "reward_low_FP_rate": Profile(false_positive=0.22),
    "reward_low_FN_rate": Profile(false_negative=2.0),
}


@dataclass(frozen=True)
class Scored:
    """A detector's answers on one series.

    Attributes:
        scores: One score per row, shape (rows,); a higher one is more anomalous.
        windows: First and last row of every labelled window, in order, both included.
    """

    scores: np.ndarray
    windows: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class NabScore:
    """The score of a detector on a corpus.

    Attributes:
        score: 0 for a detector that never flags, 100 for a perfect one; below 0 if it does worse than never to flag.
        threshold: The score from which a row is flagged; infinite where it is best to flag nothing.
        sums: The sum of weights for each series, before it is normalised.
        windows: Labelled windows in the corpus.
    """

    score: float
    threshold: float
    sums: Mapping[str, float]
    windows: int


def probation(rows: int) -> int:
    """How many of the first rows are for learning and do not count."""
    return int(np.ceil(min(np.floor(PROBATION * rows), PROBATION * _PROBATION_ROWS)))


def score(corpus: Mapping[str, Scored], profile: Profile = STANDARD) -> NabScore:
    """The score with the threshold that is best for the whole corpus.

    Args:
        corpus: The answers by the name of the series.
        profile: What each outcome weighs.
    """
    return score_at(corpus, best_threshold(corpus, profile), profile)


def score_at(corpus: Mapping[str, Scored], threshold: float, profile: Profile = STANDARD) -> NabScore:
    """The score with a given threshold: rows that reach it are flagged."""
    sums = {name: _sum(series, threshold, profile) for name, series in corpus.items()}
    null = sum(_sum(series, np.inf, profile) for series in corpus.values())
    windows = sum(len(series.windows) for series in corpus.values())
    perfect = windows * profile.true_positive
    total = sum(sums.values())
    share = (total - null) / (perfect - null) if windows else float("nan")
    return NabScore(100 * share, threshold, sums, windows)


def best_threshold(corpus: Mapping[str, Scored], profile: Profile = STANDARD) -> float:
    """The threshold with the largest sum; the highest of equals, infinite if it is best to flag nothing.

    The rows of all series are gone through from the highest score down; `gains` holds what the sum changes by when a
    row becomes flagged too.
    """
    scores, gains = [], []
    for series in corpus.values():
        weights, window = row_weights(len(series.scores), series.windows, profile)
        start = probation(len(series.scores))
        order = start + np.argsort(-series.scores[start:], kind="stable")
        gain = weights[order]
        for k in np.unique(window[order][window[order] >= 0]):
            inside = window[order] == k
            best = np.maximum.accumulate(np.maximum(gain[inside], -profile.false_negative))
            gain[inside] = np.diff(best, prepend=-profile.false_negative)
        scores.append(series.scores[order])
        gains.append(gain)
    all_scores = np.concatenate(scores)
    order = np.argsort(-all_scores, kind="stable")
    totals = np.cumsum(np.concatenate(gains)[order])
    ranked = all_scores[order]
    is_last_of_equals = np.append(ranked[1:] != ranked[:-1], True)
    totals, ranked = totals[is_last_of_equals], ranked[is_last_of_equals]
    best_at = int(np.argmax(totals))
    return float(ranked[best_at]) if totals[best_at] > 0 else float("inf")


def row_weights(
    rows: int, windows: Sequence[tuple[int, int]], profile: Profile = STANDARD
) -> tuple[np.ndarray, np.ndarray]:
    """What flagging a row gives or costs, were it the only one.

    Args:
        rows: Rows of the series.
        windows: As in `Scored`.
        profile: What each outcome weighs.

    Returns:
        The weights, shape (rows,), and for each row the index of its window or -1, shape (rows,).
    """
    weights = np.full(rows, -profile.false_positive)
    window = np.full(rows, -1)
    row = np.arange(rows)
    for first, last in windows:
        beyond = row > last
        past = (row[beyond] - last) / max(last - first, 1)
        weights[beyond] = profile.false_positive * np.where(past > _FAR, -1.0, _sigmoid(past))
    for k, (first, last) in enumerate(windows):
        inside = slice(first, last + 1)
        window[inside] = k
        place = -(last - row[inside] + 1) / (last - first + 1)
        weights[inside] = profile.true_positive * _sigmoid(place) / _sigmoid(np.array(-1.0))
    return weights, window


def _sum(series: Scored, threshold: float, profile: Profile) -> float:
    weights, window = row_weights(len(series.scores), series.windows, profile)
    counts = np.arange(len(window)) >= probation(len(window))
    flagged = (series.scores >= threshold) & counts
    total = float(weights[flagged & (window < 0)].sum())
    for k in np.unique(window[counts & (window >= 0)]):
        hits = weights[flagged & (window == k)]
        total += max(float(hits.max(initial=-np.inf)), -profile.false_negative)
    return total


def _sigmoid(place: np.ndarray) -> np.ndarray:
    return 2 / (1 + np.exp(np.minimum(5 * place, 500.0))) - 1
