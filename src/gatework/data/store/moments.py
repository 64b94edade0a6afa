"""The mean and the standard deviation of numbers that go by once, in float64."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gatework.data.series import Scale

_CONSTANT = 1e-12


@dataclass
class Moments:
    """What is known of the numbers so far.

    Parts are joined as in T. Chan, G. Golub and R. LeVeque, "Algorithms for computing the sample variance", 1983.

    Attributes:
        count: How many.
        mean: Their mean.
        squares: The sum of the squares of their distances from it.
        largest: The largest of them without its sign.
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    largest: float = 0.0

    def add(self, values: np.ndarray) -> None:
        """Takes in more numbers, of any shape."""
        if not values.size:
            return
        values = values.astype(np.float64)
        mean = float(values.mean())
        squares, count = float(((values - mean) ** 2).sum()), self.count + values.size
        off = mean - self.mean
        self.squares += squares + off * off * self.count * values.size / count
        self.mean += off * values.size / count
        self.count, self.largest = count, max(self.largest, float(np.abs(values).max()))

    def fitted(self) -> Scale:
        """Their mean and standard deviation; a deviation of 1 where all are equal, as `Scale.fit()` has it."""
        std = (self.squares / max(self.count, 1)) ** 0.5
        return Scale((self.mean,), (1.0 if std <= _CONSTANT * self.largest else std,))

    def scale(self, *, is_scaled: bool) -> Scale:
        """What numbers are standardised by, or next to nothing: see `Scale.learnt()`."""
        return self.fitted() if is_scaled else self.fitted().centring()

    def state(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Moments:
        """The moments whose `state()` this is."""
        return cls(**state)
