"""Simple regressions: the mean, the last value, a linear autoregression, and a linear regression on TF-IDF."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import numpy as np

from gatework.data.dataset import Dataset
from gatework.data.text import texts_of
from gatework.tasks._task import Baseline, single_threaded
from gatework.tasks._tfidf import Tfidf
from gatework.tasks.regress.metrics import answers_of

_PENALTIES = np.logspace(-6, 3, 10)


def baselines(dataset: Dataset) -> Sequence[Baseline]:
    """The mean; for series the last value and a linear autoregression, for texts TF-IDF and a linear regression."""
    methods = [_mean, _tfidf] if dataset.kind == "text" else [_mean, _last_value, _autoregression]
    with single_threaded():
        return [baseline for method in methods if (baseline := method(dataset))]


def _mean(dataset: Dataset) -> Baseline:
    start = perf_counter()
    mean = dataset.train.targets.mean(axis=0, dtype=np.float64)
    values = np.tile(mean, (len(dataset.test), 1))
    about = "Always answers the mean of the training targets."
    return Baseline("mean", about, answers_of(values, dataset.test.targets), perf_counter() - start, mean.size)


def _last_value(dataset: Dataset) -> Baseline | None:
    start = perf_counter()
    values = np.asarray(dataset.test.inputs)[:, -1]
    if values.shape != dataset.test.targets.shape:
        return None  # the last step has other variables than the target
    answers = answers_of(values, dataset.test.targets)
    return Baseline("last value", "Answers the last value of the input.", answers, perf_counter() - start)


def _autoregression(dataset: Dataset) -> Baseline:
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
    answers = answers_of(values, dataset.test.targets)
    return Baseline("linear autoregression", about, answers, perf_counter() - start, parameters)


def _tfidf(dataset: Dataset) -> Baseline:
    from sklearn.linear_model import Ridge

    start = perf_counter()
    features, train = Tfidf.fit(texts_of(dataset.train), pairs=False)
    fitted = Ridge().fit(train, dataset.train.targets)
    values = fitted.predict(features(texts_of(dataset.test))).reshape(dataset.test.targets.shape)
    about = "Ridge regression on the TF-IDF weights of words."
    parameters = fitted.coef_.size + dataset.train.targets.shape[1]
    answers = answers_of(values, dataset.test.targets)
    return Baseline("TF-IDF + ridge regression", about, answers, perf_counter() - start, parameters)
