"""How errors are judged: at one or two scales of smoothing, each with a threshold rule of its own.

`combined` judges a single row by extreme values, which finds spikes, and the mean of the last 24 rows by its
likelihood, which finds what is slight and long; a row is anomalous by either. `adaptive` judges a single row by a
quantile and the ranks of the last 10 errors by their likelihood, which hold where a series goes on changing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from gatework.tasks.detect.options import DetectOptions
from gatework.tasks.detect.smoothing import ExponentialSmoothing, MeanSmoothing, RankSmoothing, Smoothing
from gatework.tasks.detect.thresholds import Growth, threshold


class Judging(NamedTuple):
    """A scale of smoothing with its rule.

    Attributes:
        smoothing: Makes the smoothing of a series with so many variables.
        rule: The name of the threshold rule.
        settings: The rule's own, where they are not its defaults.
        is_learnt_again: Whether thresholds grow with errors that stay large.
    """

    smoothing: Callable[[int], Smoothing]
    rule: str
    settings: Mapping[str, float] = MappingProxyType({})
    is_learnt_again: bool = False

    @property
    def about(self) -> dict[str, str]:
        """What it judges, in words, and by which rule."""
        return {"of": self.smoothing(1).about, "rule": self.rule}


# Chosen on made faults of every kind and the built-in series: benchmarks/detect_settings.py, docs/benchmarks-detect.md.
_LONG, _SPAN = 24, 20
_single = partial(MeanSmoothing, rows=1)
_long = partial(MeanSmoothing, rows=_LONG)
# Chosen on made series that go on changing and on a half of a public benchmark: docs/benchmarks-detect.md.
_ranks = Judging(partial(RankSmoothing, rows=10), "likelihood", MappingProxyType({"deviations": 5.0}))
JUDGINGS = {
    "combined": (Judging(_single, "pot", is_learnt_again=True), Judging(_long, "likelihood", is_learnt_again=True)),
    "adaptive": (Judging(_single, "quantile"), _ranks),
    "quantile": (Judging(_single, "quantile"),),
    "pot": (Judging(_single, "pot"),),
    "dynamic": (Judging(partial(ExponentialSmoothing, span=_SPAN), "dynamic"),),
    "likelihood": (Judging(_long, "likelihood"),),
}
"""What each value of `--threshold` stands for."""


def judgings(config: DetectOptions) -> tuple[Judging, ...]:
    """How a detector's errors are judged: `smooth`, where it is given, takes the place of every smoothing."""
    chosen = JUDGINGS[config.threshold]
    if not config.smooth:
        return chosen
    return tuple(judging._replace(smoothing=partial(MeanSmoothing, rows=config.smooth)) for judging in chosen)


class Judge:
    """Judges the errors of one series at one scale, row by row.

    Args:
        judging: The scale and the rule.
        usual: Smoothed errors that the rules begin with, shape (rows, variables).
        floor: No threshold is below this.
    """

    def __init__(self, judging: Judging, usual: np.ndarray, floor: float = 0.05) -> None:
        self.smoothing = judging.smoothing(usual.shape[1])
        columns = usual.astype(np.float64).T
        self.rules = [threshold(judging.rule, floor=floor, **judging.settings) for _ in columns]
        self.growths = [Growth(floor) for _ in columns] if judging.is_learnt_again else []
        for rule, errors in zip(self.rules, columns, strict=True):
            rule.fit(errors)
        for growth, errors in zip(self.growths, columns, strict=False):
            growth.fit(errors)

    def run(self, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Takes in the errors that come next, shape (rows, variables).

        Returns:
            How anomalous each row is, above 1 where its smoothed error is above the threshold, and the thresholds, of
            the same shape.
        """
        return self.judge(self.smoothing.run(errors))

    def judge(self, smoothed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What is said of the errors that come next, which are smoothed already; see `run`."""
        columns, times = smoothed.T, np.ones(smoothed.T.shape)
        for k, growth in enumerate(self.growths):
            times[k] = growth.run(columns[k])
        said = [rule.judge(column / grown) for rule, column, grown in zip(self.rules, columns, times, strict=True)]
        limits = [limit * grown for (_, limit), grown in zip(said, times, strict=True)]
        return np.stack([ratio for ratio, _ in said], axis=1), np.stack(limits, axis=1)


def ratios(
    chosen: Sequence[Judging], smoothed: Sequence[np.ndarray], usual: Sequence[np.ndarray], floor: float = 0.05
) -> np.ndarray:
    """By how much the largest error of each row exceeds its threshold, shape (rows,); 0 where a row has no error.

    Args:
        chosen: The scales and rules.
        smoothed: The errors at each scale, shape (rows, variables).
        usual: What the rules begin with at each scale.
        floor: No threshold is below this.
    """
    quotients = [
        Judge(judging, begun, floor).judge(errors)[0]
        for judging, errors, begun in zip(chosen, smoothed, usual, strict=True)
    ]
    return np.nan_to_num(np.concatenate(quotients, axis=1), nan=0.0).max(axis=1)
