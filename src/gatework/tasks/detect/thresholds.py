r"""From which error on a row is anomalous: the second of the three steps, after the scorer.

Every rule goes row by row and in constant memory: `step(error)` answers the threshold for a row from the rows before
it, then takes the row in. A whole file is answered by the same steps, so a stream and a file get the same answers.
Errors are not negative, and measured in standard deviations of the training part.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from gatework.errors import UsageError, nearest

# Of an error where nothing was ever wrong: still a number beside which another can be weighed.
_LARGEST_RATIO = 1e300


class Window:
    """The last values, at most `size` of them, in constant memory."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._ring = np.zeros(size)
        self._seen = 0

    def add(self, value: float) -> None:
        """Takes a value in; the oldest one goes if there are `size` already."""
        self._ring[self._seen % self.size] = value
        self._seen += 1

    def fill(self, values: np.ndarray) -> None:
        """Takes in the last of the values that are numbers."""
        for value in values[np.isfinite(values)][-self.size :]:
            self.add(float(value))

    def __len__(self) -> int:
        return min(self._seen, self.size)

    def values(self) -> np.ndarray:
        """The values, oldest first."""
        if self._seen <= self.size:
            return self._ring[: self._seen]
        return np.roll(self._ring, -(self._seen % self.size))


class Growth:
    """How many times as large the last errors are as those that a rule began with, by their medians.

    What goes on for longer than half of the rows is how the series is now, not a departure any more. Medians of usual
    rows differ, too, those of a column that rests in most rows the most: of less than `least` times, and of no more
    than the largest median of as many rows in a row among those that a rule began with, it says 1.

    Args:
        floor: Added to both medians, so that errors of almost 0 have not grown.
        rows: How many errors are remembered; half as many are needed.
        every: After how many rows it is taken anew.
        least: The least growth that counts.
    """

    def __init__(self, floor: float = 0.05, rows: int = 300, every: int = 20, least: float = 1.5) -> None:
        self.floor, self.every, self.least = floor, every, least
        self.recent = Window(rows)
        self.usual = self.most = 0.0
        self._until_update = 0
        self._times = 1.0

    def fit(self, errors: np.ndarray) -> None:
        """Begins with errors that the network has not been trained on, shape (rows,)."""
        errors = errors[np.isfinite(errors)]
        if len(errors):
            self.usual = float(np.median(errors))
            parts = sliding_window_view(errors, min(self.recent.size, len(errors)))[:: self.every]
            self.most = float(np.median(parts, axis=1).max())

    def step(self, error: float) -> float:
        """How many times as large the errors before this one are."""
        begun = self.usual + self.floor
        if self._until_update == 0 and 2 * len(self.recent) >= self.recent.size and begun > 0:
            median = float(np.median(self.recent.values()))
            times = (median + self.floor) / begun
            self._times = times if times >= self.least and median > self.most else 1.0
            self._until_update = self.every
        self._until_update = max(self._until_update - 1, 0)
        self.recent.add(error)
        return self._times

    def run(self, errors: np.ndarray) -> np.ndarray:
        """As `step()` for each row, shape (rows,); a row without an error (NaN) has what the one before it has."""
        return _row_by_row(self.step, errors, self._times)


def _row_by_row(step: Callable[[float], float], errors: np.ndarray, last: float) -> np.ndarray:
    answers = np.empty(len(errors))
    for row, error in enumerate(errors):
        last = last if np.isnan(error) else step(float(error))
        answers[row] = last
    return answers


class Threshold(ABC):
    """A rule that says from which error on a row is anomalous.

    Args:
        floor: No threshold is below it.
    """

    name: ClassVar[str]

    def __init__(self, floor: float = 0.05) -> None:
        self.floor = floor
        self._last = floor

    @abstractmethod
    def fit(self, errors: np.ndarray) -> None:
        """Begins with errors that the network has not been trained on, shape (rows,)."""

    @abstractmethod
    def step(self, error: float) -> float:
        """The threshold for this error, from those before it."""

    def run(self, errors: np.ndarray) -> np.ndarray:
        """The threshold for each row, shape (rows,); a row without an error (NaN) has the one before it."""
        thresholds = _row_by_row(self.step, errors, self._last)
        if len(thresholds):
            self._last = float(thresholds[-1])
        return thresholds

    def judge(self, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How anomalous each error is: a ratio above 1 where it is above its threshold, NaN where there is no error.

        Returns:
            The ratios and the thresholds, shape (rows,).
        """
        thresholds = self.run(errors)
        with np.errstate(over="ignore"):
            quotients = errors / np.maximum(thresholds, np.finfo(np.float64).tiny)
        ratios: np.ndarray = np.minimum(quotients, _LARGEST_RATIO)
        return ratios, thresholds


class QuantileThreshold(Threshold):
    r"""A robust quantile of the errors of the last rows, times a margin.

    Errors enter the window capped at the threshold that they were judged by: what is anomalous itself does not widen
    what counts as usual faster than by the margin.

    Args:
        quantile: The share of the last errors that lie below it.
        margin: What it is multiplied by.
        window: How many errors are remembered.
        floor: Added to it, so that a series that is forecast almost exactly has no threshold of almost 0.
    """

    name = "quantile"
    _EVERY = 20

    def __init__(self, quantile: float = 0.999, margin: float = 1.25, window: int = 5000, floor: float = 0.05) -> None:
        super().__init__(floor)
        self.quantile, self.margin = quantile, margin
        self.errors = Window(window)
        self._level = 0.0
        self._until_update = 0

    def fit(self, errors: np.ndarray) -> None:
        """Begins with errors that the network has not been trained on, shape (rows,)."""
        self.errors.fill(errors)

    def step(self, error: float) -> float:
        """The threshold for this error, from those before it."""
        if self._until_update == 0 and len(self.errors):
            self._level = float(np.quantile(self.errors.values(), self.quantile))
            self._until_update = self._EVERY
        self._until_update = max(self._until_update - 1, 0)
        threshold = self.margin * (self._level + self.floor)
        self.errors.add(min(error, threshold))
        return threshold


class PeaksThreshold(Threshold):
    r"""The error that is exceeded with a small probability, from extreme value theory: POT, and SPOT as it goes on.

    Siffer et al. (2017), "Anomaly detection in streams with extreme value theory". Excesses $Y = X - t$ over a high
    level $t$ follow a generalised Pareto law with scale $\sigma$ and shape $\gamma$, whence

    $$ z_q = t + \frac{\sigma}{\gamma} \left( \left( \frac{q n}{N_t} \right)^{-\gamma} - 1 \right) $$

    for $n$ errors of which $N_t$ are above $t$. An error above $z_q$ is anomalous and not learnt from; one between $t$
    and $z_q$ joins the peaks. Leaving out the former shortens the tail of what is
    learnt from, which would show as a law that ends (a shape below 0); hence no shape below 0 is fitted.

    Args:
        probability: $q$, the probability that an error of a normal row exceeds the threshold.
        level: The share of the first errors that lie below $t$.
        peaks: How many of the last peaks are remembered.
        floor: No threshold is below it.
    """

    name = "pot"

    def __init__(self, probability: float = 1e-4, level: float = 0.98, peaks: int = 500, floor: float = 0.05) -> None:
        super().__init__(floor)
        self.probability, self.level = probability, level
        self.peaks = Window(peaks)
        self.base = 0.0
        self._rows = self._above = 0
        self._fitted_at = 0
        self._shape, self._scale = 0.0, 0.0

    def fit(self, errors: np.ndarray) -> None:
        """Begins with errors that the network has not been trained on, shape (rows,)."""
        errors = errors[np.isfinite(errors)]
        if not len(errors):
            return
        self.base = float(np.quantile(errors, self.level))
        self._rows = len(errors)
        for error in errors[errors > self.base]:
            self.peaks.add(float(error) - self.base)
            self._above += 1
        self._refit()

    def step(self, error: float) -> float:
        """The threshold for this error, from those before it."""
        threshold = max(self._quantile(), self.floor)
        if error <= threshold:
            self._rows += 1
            if error > self.base:
                self.peaks.add(error - self.base)
                self._above += 1
                # The fit hardly changes with one peak among many.
                if self._above >= 1.05 * self._fitted_at:
                    self._refit()
        return threshold

    def _refit(self) -> None:
        self._fitted_at = self._above
        self._shape, self._scale = fit_pareto(self.peaks.values(), lowest=0.0)

    def _quantile(self) -> float:
        if not self._above:
            return self.base
        ratio = self.probability * self._rows / self._above
        if abs(self._shape) < 1e-6:
            return self.base - self._scale * float(np.log(ratio))
        return self.base + self._scale / self._shape * (ratio**-self._shape - 1)


def fit_pareto(excesses: np.ndarray, lowest: float = -0.5) -> tuple[float, float]:
    r"""The shape $\gamma$ and scale $\sigma$ of a generalised Pareto law, by maximum likelihood.

    With $\theta = \gamma / \sigma$ the best shape is $\gamma(\theta) = \overline{\log(1 + \theta Y)}$, which leaves a
    search over one number (Grimshaw 1993). The shape is kept within `lowest` and 0.5, where the estimate has its usual
    properties and a quantile far out does not explode.

    Args:
        excesses: The peaks minus the level, above 0, shape (peaks,).
        lowest: The least shape.
    """
    if not len(excesses):
        return 0.0, 0.0
    mean, largest = float(excesses.mean()), float(excesses.max())
    if len(excesses) < 5 or largest <= 0:
        return 0.0, mean
    theta = np.concatenate([-np.geomspace(1e-4, 0.99, 60)[::-1] / largest, np.geomspace(1e-4, 100, 90) / mean])
    shape = np.log1p(theta[:, None] * excesses).mean(axis=1)
    likelihood = -np.log(shape / theta) - shape
    usable = (shape >= lowest) & (shape <= 0.5)
    best = int(np.argmax(np.where(usable, likelihood, -np.inf)))
    if not usable.any() or likelihood[best] <= -np.log(mean) - 1:
        return 0.0, mean
    return float(shape[best]), float(shape[best] / theta[best])


class DynamicThreshold(Threshold):
    r"""The threshold whose crossing calms the errors most, without a law: Hundman et al. (2018), section 3.2.

    Over the last errors with mean $\mu$ and deviation $\sigma$, it is the $\epsilon = \mu + z \sigma$ that maximises

    $$ \frac{\Delta \mu / \mu + \Delta \sigma / \sigma}{|e_a| + |E_{seq}|^2} $$

    where $e_a$ are the errors above $\epsilon$, $E_{seq}$ their unbroken runs, and $\Delta$ what leaving $e_a$ out
    takes away. Where the largest error in the window is not at least `decrease` above the largest usual one, the
    threshold is above all errors ("pruning").

    Args:
        window: How many errors are remembered.
        every: After how many rows it is found anew.
        decrease: The least relative step from anomalous errors to usual ones.
        floor: No threshold is below it.
    """

    name = "dynamic"
    _Z = np.arange(2.0, 12.25, 0.5)

    def __init__(self, window: int = 2000, every: int = 50, decrease: float = 0.13, floor: float = 0.05) -> None:
        super().__init__(floor)
        self.errors = Window(window)
        self.every, self.decrease = every, decrease
        self._until_update = 0
        self._threshold = floor

    def fit(self, errors: np.ndarray) -> None:
        """Begins with errors that the network has not been trained on, shape (rows,)."""
        self.errors.fill(errors)

    def step(self, error: float) -> float:
        """The threshold for this error, from those before it."""
        if self._until_update == 0 and len(self.errors):
            self._threshold = max(self._find(self.errors.values()), self.floor)
            self._until_update = self.every
        self._until_update = max(self._until_update - 1, 0)
        self.errors.add(error)
        return self._threshold

    def _find(self, errors: np.ndarray) -> float:
        mean, std = float(errors.mean()), float(errors.std())
        if std == 0:
            return mean
        best, chosen = -np.inf, mean + float(self._Z[-1]) * std
        for epsilon in mean + self._Z * std:
            above = errors > epsilon
            if not above.any():
                break
            usual = errors[~above]
            runs = int(np.count_nonzero(np.diff(above.astype(np.int8), prepend=0) == 1))
            gain = (mean - usual.mean()) / mean + (std - usual.std()) / std
            value = gain / (np.count_nonzero(above) + runs**2)
            if value >= best:
                best, chosen = value, float(epsilon)
        above = errors > chosen
        if not above.any():
            return chosen
        usual_most = float(errors[~above].max())
        is_clear = errors.max() >= (1 + self.decrease) * usual_most
        return chosen if is_clear else float(errors.max()) * (1 + self.decrease)


class LikelihoodThreshold(Threshold):
    r"""The error that recent rows reach with a small probability, given the errors of a longer past.

    With $\mu$ and $\sigma$ the mean and deviation of a long past of smoothed errors it is $\mu + z \sigma$: the
    anomaly likelihood $1 - Q((\tilde\mu - \mu) / \sigma)$ of the short mean $\tilde\mu$ is then that of a normal law
    at $z$ (S. Ahmad, A. Lavin, S. Purdy and Z. Agha, "Unsupervised real-time anomaly detection for streaming data",
    2017). Errors enter the past capped at the threshold that they were judged by.

    Args:
        deviations: $z$; at 4 a row in 30,000 of a normal law is above.
        window: How many errors are remembered.
        every: After how many rows mean and deviation are taken anew.
        floor: No threshold is below it.
    """

    name = "likelihood"

    def __init__(self, deviations: float = 4.0, window: int = 5000, every: int = 20, floor: float = 0.05) -> None:
        super().__init__(floor)
        self.deviations, self.every = deviations, every
        self.errors = Window(window)
        self._until_update = 0
        self._threshold = floor

    def fit(self, errors: np.ndarray) -> None:
        """Begins with errors that the network has not been trained on, shape (rows,)."""
        self.errors.fill(errors)

    def step(self, error: float) -> float:
        """The threshold for this error, from those before it."""
        if self._until_update == 0 and len(self.errors):
            past = self.errors.values()
            self._threshold = max(float(past.mean() + self.deviations * past.std()), self.floor)
            self._until_update = self.every
        self._until_update = max(self._until_update - 1, 0)
        self.errors.add(min(error, self._threshold))
        return self._threshold


THRESHOLDS: Mapping[str, type[Threshold]] = {
    t.name: t for t in (QuantileThreshold, PeaksThreshold, DynamicThreshold, LikelihoodThreshold)
}


def threshold(name: str, **settings: Any) -> Threshold:
    """A threshold rule by its name.

    Raises:
        UsageError: There is no such rule.
    """
    if name not in THRESHOLDS:
        raise UsageError(f'there is no threshold "{name}": {nearest(name, THRESHOLDS)}')
    return THRESHOLDS[name](**settings)
