"""A detector of rows that are not as usual."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn.base import OutlierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from gatework.cells import CellSpec
from gatework.data._columns import Columns
from gatework.data.dataset import Provenance
from gatework.data.events import EventRows, EventTable
from gatework.errors import DataError
from gatework.estimators._recurrent import NETWORK, RecurrentEstimator
from gatework.estimators._series import TimedRows, rows_of
from gatework.recipe import Recipe, recipe_of_task
from gatework.tasks.detect.clock import usable_periods
from gatework.tasks.detect.data import windowed
from gatework.tasks.detect.detector import LIMIT, Detector
from gatework.tasks.detect.options import DetectOptions, Scorer, ThresholdRule
from gatework.tasks.detect.usual import network_of
from gatework.training import runtime

_LEAST_ROWS = 5


class AnomalyDetector(OutlierMixin, RecurrentEstimator):
    """A recurrent network that learns what is usual of each row, given those before it, and flags what is not.

    The rows of `X` stand in the order of time. Those of a new `X` are a stretch of time of their own; its first rows
    are judged with little to go by.

    Args:
        cell: A registered cell by name, such as "lstm", "gru" or "rnn", or what `@gatework.cell` made.
        hidden: Units per layer.
        layers: Stacked layers.
        scorer: "forecast" expects a row from those before it, "reconstruction" from the last rows by an autoencoder.
        threshold: From which error on a row is anomalous: "combined", "quantile", "pot", "dynamic" or "likelihood".
        contamination: The share of the fitted rows that are flagged; "auto" leaves it to the threshold.
        context: Rows of a training window, and those that an autoencoder reads.
        smooth: An error is the mean over so many rows; 0 as the threshold has it.
        sensitivity: Divides the thresholds: a higher one flags more.
        dropout: Share of units dropped before the output.
        epochs: Passes over the windows.
        batch_size: Windows per step.
        learning_rate: Adam's learning rate.
        validation: Share of the rows, the last ones, that the thresholds begin with; nothing is learnt from them.
        patience: Stop after so many epochs without a lower error on them; 0 never stops early.
        threads: Threads to compute with.
        random_state: Seeds weights, order and dropout; None draws a seed from NumPy.

    Attributes:
        offset_: `decision_function()` is `score_samples()` less this.
        history_: What each epoch said, one dict each.
        network_: The trained network.
        task_: What turns rows into its inputs.
        recipe_: What it was trained with.
    """

    _task = "detect"

    def __init__(
        self,
        cell: str | CellSpec = "lstm",
        hidden: int = 32,
        layers: int = 1,
        *,
        scorer: Scorer = "forecast",
        threshold: ThresholdRule = "combined",
        contamination: float | Literal["auto"] = "auto",
        context: int = 64,
        smooth: int = 0,
        sensitivity: float = 1.0,
        dropout: float = 0.0,
        epochs: int = 30,
        batch_size: int = 32,
        learning_rate: float = 5e-3,
        validation: float = 0.2,
        patience: int = 8,
        threads: int = 1,
        random_state: Any = None,
    ) -> None:
        self.cell = cell
        self.hidden = hidden
        self.layers = layers
        self.scorer = scorer
        self.threshold = threshold
        self.contamination = contamination
        self.context = context
        self.smooth = smooth
        self.sensitivity = sensitivity
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation = validation
        self.patience = patience
        self.threads = threads
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> AnomalyDetector:
        """Learns what is usual.

        Args:
            X: Shape (rows, variables), or (rows,) of one variable, in the order of time, NaN where missing. The dates
                of a pandas index let the network see the time of the day and of the week.
            y: Not used; it is there for pipelines.

        Raises:
            ValueError: The values are no finite numbers, or too few.
        """
        rows = rows_of(self, X, is_fit=True, least=_LEAST_ROWS)
        if self.contamination != "auto" and not 0 < self.contamination <= 0.5:
            raise DataError(f'contamination is {self.contamination}, expected "auto" or a share above 0 up to 0.5')
        recipe = self._recipe(self._seed())
        table = _table(rows)
        (series,) = table.series
        held = round(self.validation * len(series))
        if not 1 < held < len(series) - 1:
            raise DataError(f"validation={self.validation} of {len(series)} rows leaves a part empty; give more rows")
        periods = usable_periods([series.stamps[: len(series) - held]]) if rows.dates is not None else ()
        ends = np.array([[len(series) - held, len(series)]])
        made = Provenance("the rows", "yours", "")
        dataset = windowed(table, ends, recipe.section(DetectOptions), periods, made, "the rows")
        with runtime.computing(self.threads):
            self._train(recipe, dataset).calibrate(self.network_, dataset, ())
        self.offset_ = -LIMIT
        if self.contamination != "auto":
            self.offset_ = float(np.percentile(self.score_samples(X), 100 * self.contamination))
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """How usual each row is, shape (rows,): the opposite of its anomaly score, between -1 and 0.

        A row that cannot be judged, as the first one or one without values, is 0.
        """
        check_is_fitted(self, NETWORK)
        rows = rows_of(self, X, is_fit=False)
        with runtime.computing(self.threads):
            answers = Detector(network_of(self.network_), self.task_).answers(_table(rows).series[0])
        scores: np.ndarray = -np.nan_to_num(answers.scores, nan=0.0)
        return scores

    def decision_function(self, X: Any) -> np.ndarray:
        """How usual each row is, below 0 where it is anomalous, shape (rows,)."""
        decisions: np.ndarray = self.score_samples(X) - self.offset_
        return decisions

    def predict(self, X: Any) -> np.ndarray:
        """-1 for each anomalous row, 1 for every other, shape (rows,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def __sklearn_tags__(self) -> Tags:
        """What scikit-learn may give it: missing values too."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _recipe(self, seed: int) -> Recipe:
        return recipe_of_task(self._task).changed(
            cell=self.cell,
            hidden=self.hidden,
            layers=self.layers,
            dropout=self.dropout,
            scorer=self.scorer,
            threshold=self.threshold,
            context=self.context,
            smooth=self.smooth,
            sensitivity=self.sensitivity,
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            patience=self.patience,
            seed=seed,
            checkpoint_seconds=1e9,
        )


def _table(rows: TimedRows) -> EventTable:
    """The rows as the workbench reads a table: one series, its variables named by their position."""
    names = tuple(str(position) for position in range(rows.values.shape[1]))
    stamps = rows.stamps().dt.replace_time_zone(None).cast(int).to_numpy()
    series = EventRows((), np.arange(len(stamps)), stamps, rows.values)
    return EventTable((series,), Columns("time", (), names), "the rows")
