r"""What a run answers: a network, a simple method, or their weighted mean, as the validation part has it.

Of the candidates with an error $e_k$ of at most $1.3\, e_{\min}$ on the validation part, the weighted mean takes

$$ w_k \propto e_k^{-8} , $$

which is near to equal weights where they err alike and leaves out what is far behind: few held-back forecasts cannot
tell more, and weights that are fitted to them freely do worse than equal ones (J. Bates and C. Granger, "The
combination of forecasts", 1969; R. Clemen, "Combining forecasts: a review", 1989). The network's error counts for 5 %
more than it is, as its weights of the best epoch were chosen on the very part. A single candidate is preferred where
even the mean is clearly worse.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gatework._stored import Stored

NETWORK = "network"
"""The network among the candidates."""
NETWORK_ALONE = "network alone"
"""The network's own figures beside those of what answers."""
MEAN = "weighted mean"
"""The weighted mean among what was measured."""

# Chosen on the built-in tables cut before their test parts and on generated series; docs/benchmarks-forecast.md.
_POWER, _KEPT, _CLEARLY, _NETWORKS_HANDICAP = 8.0, 1.3, 1.1, 1.05


@dataclass(frozen=True)
class Blend(Stored):
    """The candidates that answer, and how they were chosen.

    Attributes:
        weights: The share of each in the answer, the largest first; they sum to 1.
        validation: The error of every candidate on the validation part, and that of `MEAN`; lower is better.
        refitted: The candidate that learnt from the training and the validation part once it was weighed; may be empty.
        measure: What the errors are, and in which unit, such as "MASE"; empty where none was measured.
    """

    weights: Mapping[str, float]
    validation: Mapping[str, float]
    refitted: str = ""
    measure: str = ""

    def __post_init__(self) -> None:
        if not self.weights or min(self.weights.values()) < 0 or abs(sum(self.weights.values()) - 1) > 1e-6:
            raise ValueError("the weights of the blend are not shares that sum to 1")

    @property
    def is_network(self) -> bool:
        """Whether the network answers alone."""
        return set(self.weights) == {NETWORK}

    @property
    def name(self) -> str:
        """What answers, as it stands in tables: "AutoETS", or "0.61 AutoETS + 0.39 network"."""
        if len(self.weights) == 1:
            return next(iter(self.weights))
        return " + ".join(f"{share / 100:.2f} {name}" for name, share in self.percents.items())

    @property
    def percents(self) -> dict[str, int]:
        """The weights in whole percents that sum to 100: what rounding down leaves goes to the largest remainders."""
        exact = {name: 100 * weight for name, weight in self.weights.items()}
        whole = {name: math.floor(share) for name, share in exact.items()}
        by_remainder = sorted(exact, key=lambda name: whole[name] - exact[name])
        for name in by_remainder[: 100 - sum(whole.values())]:
            whole[name] += 1
        return whole

    @property
    def preference(self) -> str:
        """Why another candidate than that of the least error answers, in words; empty where it is that one."""
        answering = MEAN if len(self.weights) > 1 else self.name
        if next(iter(self.validation), answering) == answering:
            return ""
        if answering == MEAN:
            return "a mean is preferred where one alone is hardly better, as so few examples cannot tell"
        more = round(100 * (_NETWORKS_HANDICAP - 1))
        return f"the error of the network counts for {more} % more, as its weights were chosen there"


def chosen(
    errors: Mapping[str, float], error_of_mean: Callable[[Mapping[str, float]], float], measure: str = ""
) -> Blend:
    """The weighted mean of the better candidates, or the best of them where that is clearly better.

    Args:
        errors: The error of each candidate on the validation part; where none is finite, the network answers.
        error_of_mean: Gives the error of a weighted mean on the validation part.
        measure: What the errors are, and in which unit.
    """
    known = {name: error for name, error in errors.items() if 0 <= error < math.inf}
    if not known:
        return Blend({NETWORK: 1.0}, {}, measure=measure)
    counted = _counted(known)
    best = min(counted, key=lambda name: counted[name])
    weights = weights_by_error(known)
    measured = known | ({MEAN: error_of_mean(weights)} if len(weights) > 1 else {})
    # Not "larger than": an error that is no number must not be chosen.
    if len(weights) > 1 and not measured[MEAN] <= _CLEARLY * known[best]:
        weights = {best: 1.0}
    return Blend(weights, dict(sorted(measured.items(), key=lambda item: item[1])), measure=measure)


def weights_by_error(errors: Mapping[str, float]) -> dict[str, float]:
    """Shares that fall with a power of the error, which is a finite number, the largest first."""
    counted = _counted(errors)
    least = min(counted.values())
    if least == 0:
        return {next(name for name, error in counted.items() if error == 0): 1.0}
    raw = {name: (least / error) ** _POWER for name, error in counted.items() if error <= _KEPT * least}
    total = sum(raw.values())
    return {name: raw[name] / total for name in sorted(raw, key=lambda name: -raw[name])}


def _counted(errors: Mapping[str, float]) -> dict[str, float]:
    return {name: error * (_NETWORKS_HANDICAP if name == NETWORK else 1.0) for name, error in errors.items()}
