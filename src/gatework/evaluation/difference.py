r"""How far apart two methods are, and how much of that may be chance: of the seeds, and of the test examples.

With $\bar a - \bar b$ the difference of two means over seeds, $s_a, s_b$ the standard deviations over $n_a, n_b$ seeds,
and $d_g$ what the $g$-th of $G$ groups of test examples adds to the difference, less its share of the mean, the
variance is

$$ v = \frac{s_a^2}{n_a} + \frac{s_b^2}{n_b} + \frac{G}{G - 1} \sum_g d_g^2 + 2 d^2. $$

A method that does not depend on a seed has no spread over seeds. The sum is that of a paired comparison on the same
examples; of right and wrong answers it is McNemar's. $d$ is the root mean square of what those groups add in which the
methods differ: as if two more of them did, one for each (Agresti and Min), so that a few examples that all speak for
one side are not taken for certainty. The degrees of freedom, seeds less one and groups less one, are joined as by
Satterthwaite.

Sources: T. Dietterich, "Approximate statistical tests for comparing supervised classification learning algorithms",
1998, on why both kinds of chance must be counted; Q. McNemar, 1947; A. Agresti and Y. Min, "Simple improved confidence
intervals for comparing matched proportions", 2005.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gatework.tasks import Sample

CONFIDENCE = 0.95
"""The share of comparisons in which the interval holds the difference that is there."""


@dataclass(frozen=True)
class Results:
    """What a method came to.

    Attributes:
        values: The metric that decides, by seed.
        samples: The test examples, by seed; empty where they are not known.
        is_seeded: Whether another seed would give another value.
    """

    values: Sequence[float]
    samples: Sequence[Sample] = ()
    is_seeded: bool = True

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return math.fsum(self.values) / len(self.values)


@dataclass(frozen=True)
class Difference:
    """A difference of two means with its interval, whose ends are infinite where nothing is known of chance.

    Attributes:
        gap: The difference.
        low: The interval's lower end.
        high: The interval's upper end.
    """

    gap: float
    low: float
    high: float

    def state(self) -> dict[str, float | None]:
        """Values that JSON can hold; None for an end that is not known."""
        ends = {"low": self.low, "high": self.high}
        return {"gap": self.gap, **{name: end if math.isfinite(end) else None for name, end in ends.items()}}

    @classmethod
    def from_state(cls, state: Mapping[str, float | None]) -> Difference:
        """The difference whose `state()` this is."""
        low, high = state["low"], state["high"]
        return cls(state["gap"] or 0.0, -math.inf if low is None else low, math.inf if high is None else high)

    @property
    def is_known(self) -> bool:
        """Whether anything can be said of chance."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def is_clear(self) -> bool:
        """Whether it is more than chance."""
        return self.low > 0 or self.high < 0


def difference(a: Results, b: Results, *, is_these_runs: bool = False) -> Difference:
    """The difference `a.mean - b.mean` with its interval.

    Args:
        a: One method.
        b: The other, on the same examples.
        is_these_runs: Whether the question is about the runs as they are, not about other seeds.
    """
    gap = a.mean - b.mean
    parts: list[tuple[float, float]] = []
    for results in (a, b):
        seeds = len(results.values)
        if not results.is_seeded or (is_these_runs and seeds < 2):
            continue
        if seeds < 2:
            return Difference(gap, -math.inf, math.inf)
        parts.append((float(np.var(results.values, ddof=1)) / seeds, seeds - 1.0))
    if a.samples and b.samples:
        parts.append(_of_examples(a.samples, b.samples))
    variance = math.fsum(part for part, _ in parts)
    if not parts or any(freedom < 1 for _, freedom in parts) or (variance == 0 and gap != 0):
        return Difference(gap, -math.inf, math.inf)
    if variance == 0:
        return Difference(gap, gap, gap)
    from scipy.special import stdtrit

    freedom = variance**2 / math.fsum(part**2 / free for part, free in parts)
    reach = float(stdtrit(freedom, 0.5 + CONFIDENCE / 2)) * math.sqrt(variance)
    return Difference(gap, gap - reach, gap + reach)


def _of_examples(a: Sequence[Sample], b: Sequence[Sample]) -> tuple[float, float]:
    """The variance of a difference that comes from the choice of test examples, and its degrees of freedom."""
    first = a[0]
    losses = np.mean([s.losses for s in a], axis=0) - np.mean([s.losses for s in b], axis=0)
    weighted = first.weights * losses
    _, group = np.unique(first.blocks, return_inverse=True)
    group = group.reshape(-1)
    sums, sizes = np.bincount(group, weighted), np.bincount(group, first.weights)
    count, total, differ = len(sums), float(sums.sum()), sums[sums != 0]
    if count < 2:
        return 0.0, 0.0
    if not len(differ):
        return 0.0, count - 1.0
    variance = count / (count - 1) * float(((sums - sizes * total) ** 2).sum())
    return variance + 2 * float((differ**2).mean()), count - 1.0
