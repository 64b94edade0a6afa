"""Regression: one or more values from each series or text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data.series import Scale
from gatework.errors import DataError
from gatework.tasks._encoder import Encoder, encode, encoder_from_state, encoder_state, fit_encoder, network, tuples
from gatework.tasks._task import Baseline, Task, single_threaded

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gatework.config import DataConfig, ModelConfig
    from gatework.data.dataset import Batch, Columns, Dataset, Examples, Split

_PENALTIES = np.logspace(-6, 3, 10)


@dataclass(frozen=True)
class RegressTask(Task):
    """The values that belong to each example.

    Where the recipe scales, inputs and targets are standardised for the network; `metrics()`, `predictions()` and
    `values()` give the targets' own unit.

    Attributes:
        encoder: How inputs become batches.
        scale: The training targets' statistics, or the identity.
        columns: The columns that it was fitted to, by role.
        classes: None.
    """

    name = "regress"
    metric = "mse"
    lower_is_better = True

    encoder: Encoder
    scale: Scale
    columns: Columns = field(default_factory=dict)
    classes: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What the inputs are: "series" or "text"."""
        return self.encoder.kind

    @classmethod
    def fit(cls, dataset: Dataset, config: DataConfig) -> RegressTask:
        """Learns the vocabulary or scale from the training part alone.

        Raises:
            DataError: The data set has classes and no values to predict.
        """
        if dataset.classes:
            raise DataError(f'"{dataset.name}" has classes and no values to predict; train it with the task "classify"')
        targets = dataset.train.targets
        scale = Scale.fit(targets) if config.scale else Scale.identity(targets.shape[1])
        return cls(fit_encoder(dataset.train.inputs, config), scale, dataset.columns)

    def state(self) -> dict[str, Any]:
        """All that is needed to predict, as values that JSON can hold."""
        return {"columns": dict(self.columns), "encoder": encoder_state(self.encoder), "scale": self.scale.state()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> RegressTask:
        """The task whose `state()` this is."""
        scale = Scale.from_state(state["scale"])
        return cls(encoder_from_state(state["encoder"]), scale, tuples(state["columns"]))

    def encode(self, split: Split) -> Examples:
        """Examples ready to be batched."""
        return encode(self.encoder, split.inputs, self.scale.apply(split.targets))

    def model(self, config: ModelConfig) -> nn.Module:
        """A network with fresh weights."""
        return network(self.encoder, config, outputs=len(self.scale.mean))

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """The mean squared error, of standardised values where the recipe scales."""
        from torch.nn.functional import mse_loss

        return mse_loss(outputs, batch.targets)

    def values(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs in the targets' own unit, shape (examples, output)."""
        return self.scale.undo(outputs.astype(np.float64))

    def metrics(self, outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        """Mean squared error, mean absolute error and root mean squared error, in the targets' own unit.

        Args:
            outputs: A network's outputs of shape (examples, output).
            targets: The split's targets, of the same shape; not those of a batch, which are standardised.
        """
        if not np.isfinite(outputs).all():
            return dict.fromkeys(("mse", "mae", "rmse"), float("nan"))
        errors = self.values(outputs) - targets
        mse = float(np.mean(errors**2))
        return {"mse": mse, "mae": float(np.mean(np.abs(errors))), "rmse": mse**0.5}

    def predictions(self, outputs: np.ndarray) -> list[dict[str, Any]]:
        """For each row the predicted value, or the list of values where there are several."""
        values = self.values(outputs).tolist()
        return [{"value": row[0] if len(row) == 1 else row} for row in values]

    def baselines(self, dataset: Dataset) -> Sequence[Baseline]:
        """The mean; for series the last value and a linear autoregression, for texts TF-IDF and a linear regression."""
        methods = [_mean, _tfidf] if dataset.kind == "text" else [_mean, _last_value, _autoregression]
        with single_threaded():
            return [baseline for method in methods if (baseline := method(dataset, self.scale))]


def _mean(dataset: Dataset, scale: Scale) -> Baseline:
    start = perf_counter()
    mean = dataset.train.targets.mean(axis=0, dtype=np.float64)
    values = np.tile(mean, (len(dataset.test), 1))
    about = "Always answers the mean of the training targets."
    return Baseline("mean", about, scale.apply(values), perf_counter() - start, mean.size)


def _last_value(dataset: Dataset, scale: Scale) -> Baseline | None:
    start = perf_counter()
    values = np.asarray(dataset.test.inputs)[:, -1]
    if values.shape != dataset.test.targets.shape:
        return None  # the last step has other variables than the target
    return Baseline("last value", "Answers the last value of the input.", scale.apply(values), perf_counter() - start)


def _autoregression(dataset: Dataset, scale: Scale) -> Baseline:
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    start = perf_counter()
    train, test = (np.asarray(part.inputs, dtype=np.float64) for part in (dataset.train, dataset.test))
    fitted = make_pipeline(StandardScaler(), RidgeCV(_PENALTIES))
    fitted.fit(train.reshape(len(train), -1), dataset.train.targets.astype(np.float64))
    values = fitted.predict(test.reshape(len(test), -1)).reshape(dataset.test.targets.shape)
    about = (
        "Least squares on all steps of the input, with a ridge penalty chosen by leave-one-out on the training part."
    )
    parameters = fitted[-1].coef_.size + dataset.train.targets.shape[1]
    return Baseline("linear autoregression", about, scale.apply(values), perf_counter() - start, parameters)


def _tfidf(dataset: Dataset, scale: Scale) -> Baseline:
    from sklearn.linear_model import Ridge

    from gatework.tasks._tfidf import Tfidf, texts_of

    start = perf_counter()
    features = Tfidf(texts_of(dataset.train), pairs=False)
    fitted = Ridge().fit(features.train, dataset.train.targets)
    values = fitted.predict(features(texts_of(dataset.test))).reshape(dataset.test.targets.shape)
    about = "Ridge regression on the TF-IDF weights of words."
    parameters = fitted.coef_.size + dataset.train.targets.shape[1]
    return Baseline("TF-IDF + ridge regression", about, scale.apply(values), perf_counter() - start, parameters)
