"""Simple classifiers: the most frequent class, and logistic regression on TF-IDF or on plain values."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np

from gatework.data.dataset import Dataset
from gatework.tasks._task import Baseline, single_threaded
from gatework.tasks._tfidf import Tfidf, texts_of
from gatework.tasks.classify.metrics import answers_of

_STRENGTHS = (1.0, 4.0, 16.0)
"""Inverse penalties of the logistic regression, the strongest penalty first."""
_LEAST_PROBABILITY = 1e-12


def baselines(dataset: Dataset) -> Sequence[Baseline]:
    """The most frequent class, and logistic regression: on TF-IDF of texts, on the plain values of series."""
    with single_threaded():
        if dataset.kind != "text":
            return [_majority(dataset), _values(dataset)]
        words = _tfidf(dataset, "TF-IDF + logistic regression", pairs=False)
        pairs = _tfidf(dataset, "TF-IDF bigrams + logistic regression", pairs=True)
        return [_majority(dataset), words, pairs]


def _majority(dataset: Dataset) -> Baseline:
    start = perf_counter()
    counts = np.bincount(dataset.train.targets, minlength=len(dataset.classes))
    scores = np.log(np.maximum(counts / counts.sum(), _LEAST_PROBABILITY))
    about = f'Always answers "{dataset.classes[int(counts.argmax())]}", the most frequent class of the training part.'
    answers = answers_of(np.tile(scores, (len(dataset.test), 1)), dataset.test.targets)
    return Baseline("majority class", about, answers, perf_counter() - start, 1)


def _tfidf(dataset: Dataset, name: str, *, pairs: bool) -> Baseline:
    start = perf_counter()
    train, validation, test = (texts_of(part) for part in (dataset.train, dataset.validation, dataset.test))
    features = Tfidf(train, pairs=pairs)
    terms = "words and pairs of neighbouring words" if pairs else "words"
    about = f"Logistic regression on the TF-IDF weights of {terms}; the order of the text is not seen otherwise."
    return _logistic(dataset, name, about, features.train, features(validation), features(test), start)


def _values(dataset: Dataset) -> Baseline:
    from sklearn.preprocessing import StandardScaler

    start = perf_counter()
    parts = [np.asarray(part.inputs) for part in (dataset.train, dataset.validation, dataset.test)]
    flat = [part.reshape(len(part), -1) for part in parts]
    scaler = StandardScaler().fit(flat[0])
    train, validation, test = (scaler.transform(part) for part in flat)
    about = "Logistic regression on the standardised values of all steps."
    return _logistic(dataset, "logistic regression", about, train, validation, test, start)


def _logistic(
    dataset: Dataset, name: str, about: str, train: Any, validation: Any, test: Any, start: float
) -> Baseline:
    """Logistic regression whose penalty is chosen on the validation part."""
    from sklearn.linear_model import LogisticRegression

    # Each fit starts from the weights of the stronger penalty before it.
    fitted = LogisticRegression(max_iter=1000, warm_start=True)
    best, best_accuracy = fitted, -1.0
    for strength in _STRENGTHS:
        fitted.set_params(C=strength).fit(train, dataset.train.targets)
        accuracy = fitted.score(validation, dataset.validation.targets)
        if accuracy > best_accuracy:
            best, best_accuracy = copy.deepcopy(fitted), accuracy
    probabilities = np.full((len(dataset.test), len(dataset.classes)), _LEAST_PROBABILITY)
    probabilities[:, best.classes_] = np.maximum(best.predict_proba(test), _LEAST_PROBABILITY)
    parameters = best.coef_.size + best.intercept_.size
    answers = answers_of(np.log(probabilities), dataset.test.targets)
    return Baseline(name, about, answers, perf_counter() - start, parameters)
