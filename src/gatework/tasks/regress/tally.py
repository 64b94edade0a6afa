"""How good predicted values are, from answers that come part by part and are not kept."""

from __future__ import annotations

import polars as pl

from gatework.tasks.regress.metrics import metrics


class ValueTally:
    """The sums of errors."""

    def __init__(self) -> None:
        self._count = 0
        self._squares, self._sizes = 0.0, 0.0

    def add(self, answers: pl.DataFrame) -> None:
        """Adds the errors of answers, as `answers_of()` gives them."""
        of_part = metrics(answers)
        self._count += len(answers)
        self._squares += of_part["mse"] * len(answers)
        self._sizes += of_part["mae"] * len(answers)

    def metrics(self) -> dict[str, float]:
        """The mean squared, the mean absolute and the root mean squared error, in the targets' own unit."""
        mse = self._squares / self._count
        return {"mse": mse, "mae": self._sizes / self._count, "rmse": mse**0.5}

    def breakdown(self) -> None:
        """Nothing: values have no classes."""
