"""How good predicted values are, from a table of answers."""

from __future__ import annotations

import numpy as np
import polars as pl

from gatework.tasks._sample import Sample


def answers_of(values: np.ndarray, targets: np.ndarray) -> pl.DataFrame:
    """Answers as a table.

    Args:
        values: Predicted values in the targets' own unit, shape (examples, outputs).
        targets: The actual ones, same shape.

    Returns:
        The columns "target" and "value", each a vector per example, float64.
    """
    columns = {"target": targets, "value": values}
    return pl.DataFrame({name: np.ascontiguousarray(array, dtype=np.float64) for name, array in columns.items()})


def metrics(answers: pl.DataFrame) -> dict[str, float]:
    """Mean squared error, mean absolute error and root mean squared error, in the targets' own unit.

    Args:
        answers: As `answers_of()` gives them.
    """
    values, targets = answers["value"].to_numpy(), answers["target"].to_numpy()
    if not np.isfinite(values).all():
        return dict.fromkeys(("mse", "mae", "rmse"), float("nan"))
    errors = values - targets
    mse = float(np.mean(errors**2))
    return {"mse": mse, "mae": float(np.mean(np.abs(errors))), "rmse": mse**0.5}


def sample(answers: pl.DataFrame) -> Sample:
    """The squared error of each example, whose mean is the mean squared error."""
    errors = answers["value"].to_numpy() - answers["target"].to_numpy()
    return Sample.of_rows((errors**2).mean(axis=1))
