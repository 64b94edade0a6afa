r"""Random kernels: how often what convolutions answer to a series lies above a bias, and a ridge classifier on that.

The kernels of MiniRocket: all 84 of nine weights of which three are $2$ and six $-1$, at dilations that span a series,
each on the sum of a few variables that are drawn at random. A feature is the share of steps at which a convolution is
above a bias, which is a quantile of what the same convolution gives on a training series drawn at random.

Source: A. Dempster, D. F. Schmidt and G. I. Webb, "MiniRocket: A very fast (almost) deterministic transform for time
series classification", KDD 2021.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from gatework.data.dataset import Split
from gatework.data.inputs import Inputs, RaggedSeries
from gatework.data.series import Scale

FEATURES = 9_996
"""How many features there are at most, a multiple of the number of kernels."""
_WEIGHTS, _MOST_VARIABLES, _MOST_DILATIONS = 9, 9, 32
_TWOS = np.array(list(combinations(range(_WEIGHTS), 3)))
"""The places of the three weights of 2 in each kernel, shape (kernels, 3)."""
_GOLDEN = (5**0.5 + 1) / 2
_PENALTIES = np.logspace(-3, 3, 10)


@dataclass(frozen=True, eq=False)
class _Dilated:
    """All kernels at one dilation.

    Attributes:
        apart: Steps between two weights.
        chosen: Which variables each kernel sums up, 1 where it does, shape (kernels, variables).
        biases: Shape (kernels, features).
        is_padded: Whether each kernel also answers where it reaches beyond the ends, shape (kernels,).
    """

    apart: int
    chosen: np.ndarray
    biases: np.ndarray
    is_padded: np.ndarray

    def answers(self, series: np.ndarray, kernels: np.ndarray) -> np.ndarray:
        """What some kernels answer at each step of a series, shape (kernels, steps).

        Args:
            series: Shape (steps, variables).
            kernels: Their places among all.
        """
        sums = self.chosen[kernels] @ series.T
        reach, steps = self.apart * (_WEIGHTS // 2), len(series)
        padded = np.pad(sums, ((0, 0), (reach, reach)))
        shifted = np.stack([padded[:, k * self.apart : k * self.apart + steps] for k in range(_WEIGHTS)])
        twos = shifted[_TWOS[kernels], np.arange(len(kernels))[:, None]].sum(axis=1)
        answers: np.ndarray = 3 * twos - shifted.sum(axis=0)
        return answers

    def features(self, series: np.ndarray) -> np.ndarray:
        """The share of steps above each bias, shape (kernels * features,)."""
        answers = self.answers(series, np.arange(len(_TWOS)))
        reach = self.apart * (_WEIGHTS // 2)
        inside = answers[:, reach:-reach] if len(series) > 2 * reach else answers
        shares = np.empty(self.biases.shape, dtype=np.float32)
        for which, part in ((self.is_padded, answers), (~self.is_padded, inside)):
            shares[which] = (part[which, None] > self.biases[which, :, None]).mean(axis=-1)
        return shares.ravel()


def kernel_scores(train: Split, inputs: Inputs, classes: int, seed: int = 0) -> np.ndarray:
    """The scores of a ridge classifier on the features, shape (examples, classes).

    Args:
        train: The training part.
        inputs: The series to be answered.
        classes: How many classes there are.
        seed: Draws variables and the training series that biases come from.
    """
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.preprocessing import StandardScaler

    series = train.inputs
    if not isinstance(series, RaggedSeries) or not isinstance(inputs, RaggedSeries):
        raise TypeError(f"expected series of several lengths, not {type(series).__name__} and {type(inputs).__name__}")
    scale = Scale.fit(series.values)
    known, asked = (RaggedSeries(scale.apply(each.values), each.ends) for each in (series, inputs))
    kernels = drawn(known, FEATURES, np.random.default_rng(seed))
    scaler = StandardScaler(copy=False)
    learnt = RidgeClassifierCV(_PENALTIES).fit(scaler.fit_transform(features(kernels, known)), train.targets)
    decided = learnt.decision_function(scaler.transform(features(kernels, asked)))
    scores = np.full((len(asked), classes), -1e9)
    scores[:, learnt.classes_] = np.stack([-decided, decided], axis=1) if decided.ndim == 1 else decided
    return scores


def features(kernels: list[_Dilated], series: RaggedSeries) -> np.ndarray:
    """The features of each series, shape (series, features)."""
    return np.stack([np.concatenate([each.features(series[k]) for each in kernels]) for k in range(len(series))])


def drawn(series: RaggedSeries, count: int, random: np.random.Generator) -> list[_Dilated]:
    """The kernels for a training part: their dilations span its median length, their biases come from its series.

    Args:
        series: The training part.
        count: How many features there are at most.
        random: Draws variables and series.
    """
    by_kernel = max(count // len(_TWOS), 1)
    longest = max(int(np.median(series.lengths)) - 1, _WEIGHTS - 1) / (_WEIGHTS - 1)
    steps = np.logspace(0, np.log2(longest), min(by_kernel, _MOST_DILATIONS), base=2).astype(int)
    dilations, weights = np.unique(steps, return_counts=True)
    counts = (weights * by_kernel) // weights.sum()
    counts[: by_kernel - counts.sum()] += 1
    made, done = [], 0
    for place, (apart, number) in enumerate(zip(dilations.tolist(), counts.tolist(), strict=True)):
        is_padded = (np.arange(len(_TWOS)) + place) % 2 == 0
        bare = _Dilated(apart, _variables(series.values.shape[1], random), np.empty((len(_TWOS), 0)), is_padded)
        # Quantiles that are spread evenly however many there are: multiples of the golden ratio.
        levels = np.arange(done + 1, done + len(_TWOS) * number + 1) * _GOLDEN % 1
        done += len(levels)
        made.append(replace(bare, biases=_biases(bare, series, levels.reshape(-1, number), random)))
    return made


def _variables(count: int, random: np.random.Generator) -> np.ndarray:
    """Up to nine variables for each kernel, fewer more often than many, shape (kernels, variables)."""
    chosen = np.zeros((len(_TWOS), count), dtype=np.float32)
    for row in chosen:
        number = int(2 ** random.uniform(0, np.log2(min(count, _MOST_VARIABLES) + 1)))
        row[random.choice(count, number, replace=False)] = 1
    return chosen


def _biases(bare: _Dilated, series: RaggedSeries, levels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The quantiles of each kernel's answers to a training series drawn at random, shape (kernels, features)."""
    biases = np.empty(levels.shape, dtype=np.float32)
    for kernel, drawn_from in enumerate(random.integers(len(series), size=len(levels))):
        (answers,) = bare.answers(series[int(drawn_from)], np.array([kernel]))
        biases[kernel] = np.quantile(answers, levels[kernel])
    return biases
