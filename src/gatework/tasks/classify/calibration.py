r"""Probabilities that can be taken at their word, and the weight of a network beside simple methods.

Scores are divided by a temperature $T$ that is chosen on the validation part: the one with the least

$$ \sum_i -\ln \mathrm{softmax}(s_i / T)_{y_i} + \tfrac12 (\ln T)^2 . $$

The last term stands for what is known before the first example: a factor of $e$ either way is unlikely. A handful of
examples do not overrule it. Two sets of scores, each divided by its standard deviation about the mean of an example,
are added as $w\, s + (1 - w)\, t$, or, each calibrated, mixed as

$$ \ln \big( w \, \mathrm{softmax}(s) + (1 - w) \, \mathrm{softmax}(t) \big) , $$

whichever comes to the least such sum, with the share $w$ of the least one among a few; a third is joined with what
comes of the first two, and so on; and the whole is calibrated. Of added scores the one that is surest says most, also
where it is surely wrong, as a network is that knows its training part by heart; of mixed ones it says its share. Where
the examples do not tell which is better, as they are of people that are known and others are to be answered, scores are
added and all count alike: equal shares do better than ones that are fitted to something else.

The expected calibration error is the mean distance between how sure the answers of a group are and how many of them are
right, over 15 groups of equal width by the probability of the answer.

Source: C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural networks", ICML 2017.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

_COOLEST, _HOTTEST = 0.1, 20.0
_SHARES = np.linspace(0.0, 1.0, 21)
_GROUPS = 15


class Joined(NamedTuple):
    """How sets of scores are joined.

    Attributes:
        shares: The weight of each once all are equally spread, or calibrated; they sum to 1.
        factors: What each is multiplied by before they are joined.
        heat: What the logarithm of mixed probabilities is divided by; 0 where scores are added.
    """

    shares: tuple[float, ...]
    factors: tuple[float, ...]
    heat: float = 0.0

    def of(self, voices: Iterable[np.ndarray]) -> np.ndarray:
        """The joined scores of sets of scores, shape (examples, classes)."""
        from scipy.special import log_softmax

        said = zip(self.factors, self.shares, voices, strict=False)
        heard = [(factor * scores, share) for factor, share, scores in said if share]
        if not self.heat:
            return sum(scores for scores, _ in heard[1:]) + heard[0][0]
        return np.logaddexp.reduce([log_softmax(s, axis=1) + math.log(share) for s, share in heard]) / self.heat


def temperature(scores: np.ndarray, targets: np.ndarray) -> float:
    """The temperature that scores are divided by.

    Args:
        scores: Shape (examples, classes).
        targets: Class indices, shape (examples,).
    """
    return _tempered(scores, targets)[0]


def cost(scores: np.ndarray, targets: np.ndarray) -> float:
    """The sum that scores come to at their temperature: what linear classifiers are compared by."""
    return _tempered(scores, targets)[1]


def joined(voices: Sequence[np.ndarray], targets: np.ndarray, *, is_equal: bool = False) -> Joined:
    """How sets of scores of the same examples are joined best.

    Args:
        voices: Each of shape (examples, classes).
        targets: Class indices, shape (examples,).
        is_equal: Whether scores are added with the same share of each, whatever these examples say.
    """
    ways = [_added(voices, targets, is_equal=is_equal)]
    if not is_equal:
        ways.append(_mixed(voices, targets))
    return min(ways, key=lambda way: cost(way.of(voices), targets))


def _mixed(voices: Sequence[np.ndarray], targets: np.ndarray) -> Joined:
    """The shares of calibrated probabilities of the same examples."""
    from scipy.special import log_softmax

    heats = [temperature(scores, targets) for scores in voices]
    logs = [log_softmax(scores / one, axis=1) for scores, one in zip(voices, heats, strict=True)]
    whole, shares, heat = logs[0], [1.0], temperature(logs[0], targets)
    for each in logs[1:]:
        tried = [(w, _mixture(whole, each, float(w))) for w in _SHARES[::-1]]
        costs = [_tempered(mixture, targets) for _, mixture in tried]
        best = min(range(len(tried)), key=lambda k: costs[k][1])
        heat, share, whole = costs[best][0], float(tried[best][0]), tried[best][1]
        shares = [*(share * one for one in shares), 1 - share]
    return Joined(tuple(shares), tuple(1 / one for one in heats), heat)


def _mixture(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """The logarithm of mixed probabilities."""
    if share in (0.0, 1.0):
        return one if share else other
    return np.logaddexp(one + math.log(share), other + math.log(1 - share))


def _added(voices: Sequence[np.ndarray], targets: np.ndarray, *, is_equal: bool) -> Joined:
    """The shares of equally spread scores, and the factors that come of them."""
    spreads = [_spread(scores) for scores in voices]
    whole, shares = voices[0] / spreads[0], [1.0]
    heat = _tempered(whole, targets)[0]
    for count, (scores, spread) in enumerate(zip(voices[1:], spreads[1:], strict=True), start=1):
        tried = (count / (count + 1),) if is_equal else _SHARES[::-1]
        each = [(_tempered(w * whole + (1 - w) * scores / spread, targets), float(w)) for w in tried]
        (heat, _), share = min(each, key=lambda tempered: tempered[0][1])
        whole = share * whole + (1 - share) * scores / spread
        shares = [*(share * one for one in shares), 1 - share]
    return Joined(tuple(shares), tuple(share / one / heat for share, one in zip(shares, spreads, strict=True)))


def calibration_error(scores: np.ndarray, targets: np.ndarray) -> float:
    """The expected calibration error of scores whose softmax is the probability of each class."""
    return float(np.abs(calibration_gaps(scores, targets)).sum() / max(len(targets), 1))


def calibration_gaps(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """By how much the answers of each group are surer than right, summed; sums of parts add up."""
    from scipy.special import softmax

    chances = softmax(scores.astype(np.float64), axis=1)
    sure, right = chances.max(axis=1), chances.argmax(axis=1) == targets
    groups = np.minimum((sure * _GROUPS).astype(int), _GROUPS - 1)
    return np.bincount(groups, weights=sure - right, minlength=_GROUPS)


def _spread(scores: np.ndarray) -> float:
    """The standard deviation of scores about the mean of each example; 1 where they are all alike."""
    return float((scores - scores.mean(axis=1, keepdims=True)).std()) or 1.0


def _tempered(scores: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """The temperature and the sum that is least there."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    scores = scores.astype(np.float64)

    def total(logarithm: float) -> float:
        logs = log_softmax(scores / math.exp(logarithm), axis=1)
        return float(-logs[np.arange(len(targets)), targets].sum() + logarithm**2 / 2)

    minimum = minimize_scalar(total, bounds=(math.log(_COOLEST), math.log(_HOTTEST)), method="bounded")
    return math.exp(minimum.x), float(minimum.fun)
