"""A forecaster of series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from sklearn.utils import Tags
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from gatework.cells import CellSpec
from gatework.errors import DataError
from gatework.estimators._recurrent import NETWORK, RecurrentEstimator
from gatework.estimators._sequences import dimensions
from gatework.estimators._series import TimedRows, dates_of, following, rows_of, targets_of
from gatework.recipe import Recipe, recipe_of_task
from gatework.tasks.forecast.charts import level_name
from gatework.tasks.forecast.data import whole_dataset
from gatework.tasks.forecast.metrics import LEVELS
from gatework.tasks.forecast.options import Skip
from gatework.tasks.forecast.windows import origins_of
from gatework.training import runtime

_LEAST_ROWS = 8
_TIME = "time"


class Forecaster(RecurrentEstimator):
    """A recurrent network that forecasts the steps that follow a series, with intervals.

    `fit(y)` takes a series alone; `fit(X, y)` takes beside it what is known ahead of every step, such as prices and
    holidays, and `predict()` then takes that of the steps to come. A search splits the steps by `TimeSeriesSplit`.

    Args:
        cell: A registered cell by name, such as "lstm", "gru" or "rnn", or what `@gatework.cell` made.
        hidden: Units per layer.
        layers: Stacked layers.
        horizon: The longest forecast, in steps; 0 chooses by the series.
        window: Steps that a forecast is made from; 0 chooses by the series.
        season: Steps of one season; 0 looks for one by the dates, and takes none where there are no dates.
        skip: What the network learns the difference to: "seasonal", "last", "mean" or "linear", or "auto" for the best.
        dropout: Share of units dropped before the output.
        epochs: Passes over the windows.
        batch_size: Windows per step.
        learning_rate: Adam's learning rate.
        validation_steps: The last steps, which choose the epoch and calibrate the intervals; 0 chooses by the series.
        patience: Stop after so many epochs without a better forecast of them; 0 never stops early.
        threads: Threads to compute with.
        random_state: Seeds weights, order and dropout; None draws a seed from NumPy.

    Attributes:
        horizon_: The longest forecast, in steps.
        scale_: The mean absolute error of the naive forecast one season ahead on the training part, shape (targets,):
            what `score()` divides by.
        history_: What each epoch said, one dict each.
        network_: The trained network.
        task_: What turns a series into its inputs.
        recipe_: What it was trained with.
    """

    _task = "forecast"

    def __init__(
        self,
        cell: str | CellSpec = "lstm",
        hidden: int = 64,
        layers: int = 1,
        *,
        horizon: int = 0,
        window: int = 0,
        season: int = 0,
        skip: Skip = "auto",
        dropout: float = 0.1,
        epochs: int = 60,
        batch_size: int = 64,
        learning_rate: float = 3e-3,
        validation_steps: int = 0,
        patience: int = 12,
        threads: int = 1,
        random_state: Any = None,
    ) -> None:
        self.cell = cell
        self.hidden = hidden
        self.layers = layers
        self.horizon = horizon
        self.window = window
        self.season = season
        self.skip = skip
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation_steps = validation_steps
        self.patience = patience
        self.threads = threads
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Forecaster:
        """Learns a series.

        Args:
            X: The series, shape (steps,) or (steps, targets); or, where `y` is given, what is known ahead of every
                step, shape (steps, columns). The dates of a pandas index let the network see the calendar.
            y: The series, where `X` is what is known ahead.

        Raises:
            ValueError: The values are no finite numbers, or the series is too short or never changes.
        """
        rows, known = self._rows(X, y, is_fit=True)
        series = X if y is None else y
        self.is_single_ = dimensions(series) == 1
        # An empty one of its kind, whose columns and name the answers take; None where answers are arrays.
        self.kind_ = None if dates_of(series) is None else series.iloc[:0]
        recipe = self._recipe(rows, known)
        dataset = whole_dataset(_frame(rows, known), recipe)
        with runtime.computing(self.threads):
            self._train(recipe, dataset).calibrate(self.network_, dataset, ())
        self.horizon_ = self.task_.plan.horizon
        self.scale_ = origins_of(dataset.train).scale[0]
        self.steps_ = len(rows.values)
        return self

    def predict(self, X: Any = None) -> Any:
        """The forecast of the steps that follow the series.

        Args:
            X: How many steps; a sequence of step numbers, 1 for the next one; what is known ahead of as many steps as
                it has rows, where such was fitted; or None for as many steps as were trained for.

        Returns:
            Shape (steps,), or (steps, targets) where the series has several; a pandas object with the dates that
            follow where one with dates was fitted.

        Raises:
            ValueError: That is further ahead than was trained for.
        """
        rows, chosen = self._ahead(X)
        return self._shaped(rows, "forecast", chosen)

    def predict_quantiles(self, X: Any = None, levels: Sequence[float] = LEVELS) -> list[Any]:
        """Quantiles of the steps that follow: for each level what `predict()` answers of the median.

        Args:
            X: As for `predict()`.
            levels: Which, of 0.025, 0.1, 0.25, 0.5, 0.75, 0.9 and 0.975.
        """
        if absent := [level for level in levels if level not in LEVELS]:
            raise DataError(f"the level {absent[0]} is not known, expected some of {', '.join(map(str, LEVELS))}")
        rows, chosen = self._ahead(X)
        names = ["forecast" if level == 0.5 else level_name(level) for level in levels]
        return [self._shaped(rows, name, chosen) for name in names]

    def score(self, X: Any, y: Any = None) -> float:
        """The opposite of the mean absolute error, in `scale_`, of forecasts along the steps that follow the series.

        One is made at every step from which the whole horizon is given; higher is better, 0 the best.

        Args:
            X: As for `fit()`, the steps that follow those.
            y: As for `fit()`.
        """
        rows, known = self._rows(X, y, is_fit=False)
        with runtime.computing(self.threads):
            split = self.task_.read_known(_frame(rows, known, self.steps_), self.recipe_)
            forecasts = self.task_.predict(self.network_, split)["forecast"].to_numpy()
        actuals = split.targets["value"]
        errors = np.abs(forecasts.reshape(actuals.shape) - actuals)
        return -float(np.nanmean(errors / self.scale_[split.targets["target"]][:, None]))

    def __sklearn_tags__(self) -> Tags:
        """What scikit-learn may give it: missing values, one series or several."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        return tags

    def _rows(self, X: Any, y: Any, *, is_fit: bool) -> tuple[TimedRows, TimedRows | None]:
        """The series, and what is known ahead of its steps, checked."""
        if not is_fit:
            check_is_fitted(self, NETWORK)
        least = _LEAST_ROWS if is_fit else 1
        first = rows_of(self, X, is_fit=is_fit, least=least)
        if y is None:
            return first, None
        series = targets_of(self, y, least)
        check_consistent_length(first.values, series.values)
        return series, first

    def _ahead(self, X: Any) -> tuple[pl.DataFrame, np.ndarray]:
        """The rows of a forecast, and which steps of it are asked for, counted from 0."""
        check_is_fitted(self, NETWORK)
        known = None
        if X is None:
            chosen = np.arange(self.horizon_)
        elif np.isscalar(X):
            chosen = np.arange(_whole(X))
        elif dimensions(X) == 1 and not self._knows_ahead:
            chosen = np.array([_whole(step) - 1 for step in X])
        else:
            rows = rows_of(self, X, is_fit=False)
            chosen = np.arange(len(rows.values))
            known = _frame(None, rows, self.steps_) if self._knows_ahead else None
        if not len(chosen) or chosen.min() < 0 or chosen.max() >= self.horizon_:
            raise DataError(
                f"the steps to forecast are {np.min(chosen, initial=0) + 1} to {np.max(chosen, initial=-1) + 1}, "
                f"expected 1 to {self.horizon_}, which this forecaster was fitted for; fit it with a longer horizon"
            )
        with runtime.computing(self.threads):
            split = self.task_.read(known, self.recipe_, horizon=int(chosen.max()) + 1)
            return self.task_.predict(self.network_, split), chosen

    @property
    def _knows_ahead(self) -> bool:
        return bool(self.task_.history.columns.known)

    def _shaped(self, rows: pl.DataFrame, name: str, chosen: np.ndarray) -> Any:
        """One column of a forecast's rows as what `predict()` answers."""
        targets = len(self.task_.history.columns.targets)
        values = rows[name].to_numpy().reshape(targets, -1).T[chosen]
        values = values[:, 0] if self.is_single_ else values
        if self.kind_ is None:
            return values
        index = following(self.kind_.index, rows[_TIME].to_list()[: len(rows) // targets])[chosen]
        named = {"name": self.kind_.name} if self.is_single_ else {"columns": self.kind_.columns}
        return type(self.kind_)(values, index=index, **named)

    def _recipe(self, rows: TimedRows, known: TimedRows | None) -> Recipe:
        return recipe_of_task(self._task).changed(
            time=_TIME,
            target=_names("target", rows),
            known=_names("known", known) if known else None,
            calendar=rows.dates is not None,
            cell=self.cell,
            hidden=self.hidden,
            layers=self.layers,
            horizon=self.horizon,
            window=self.window,
            season=self.season,
            skip=self.skip,
            dropout=self.dropout,
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            validation_steps=self.validation_steps,
            patience=self.patience,
            seed=self._seed(),
            checkpoint_seconds=1e9,
        )


def _whole(steps: Any) -> int:
    """A number of steps.

    Raises:
        DataError: It is none.
    """
    if not isinstance(steps, (int, np.integer)) or steps < 1:
        raise DataError(f"the steps to forecast are {steps!r}, expected a whole number from 1 on")
    return int(steps)


def _names(role: str, rows: TimedRows) -> tuple[str, ...]:
    return tuple(f"{role} {position}" for position in range(rows.values.shape[1]))


def _frame(rows: TimedRows | None, known: TimedRows | None, before: int = 0) -> pl.DataFrame:
    """The table that the workbench reads: the time, the targets, and what is known ahead."""
    parts = [(role, part) for role, part in (("target", rows), ("known", known)) if part is not None]
    dated = next((part for _, part in parts if part.dates is not None), parts[0][1])
    columns = {_TIME: dated.stamps(before)}
    for role, part in parts:
        columns |= {
            name: pl.Series(part.values[:, position]).fill_nan(None) for position, name in enumerate(_names(role, part))
        }
    return pl.DataFrame(columns)
