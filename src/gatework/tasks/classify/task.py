"""Classification of texts or series into two or more classes."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.errors import DataError
from gatework.tasks._encoder import Encoder, encode, encoder_from_state, encoder_state, fit_encoder, network, tuples
from gatework.tasks._task import Baseline, Task, single_threaded

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gatework.config import DataConfig, ModelConfig
    from gatework.data.dataset import Batch, Columns, Dataset, Examples, Split

_STRENGTHS = (1.0, 4.0, 16.0)
"""Inverse penalties of the logistic regression, the strongest penalty first."""
_LEAST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class ClassifyTask(Task):
    """Which of the classes each example belongs to.

    Outputs are scores of shape (examples, classes) whose softmax is the probability of each class: a network's logits,
    a baseline's log-probabilities.

    Attributes:
        encoder: How inputs become batches.
        classes: The names of the classes, in the order of their indices.
        columns: The columns that it was fitted to, by role.
    """

    name = "classify"
    metric = "accuracy"
    lower_is_better = False

    encoder: Encoder
    classes: tuple[str, ...]
    columns: Columns = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What the inputs are: "series" or "text"."""
        return self.encoder.kind

    @classmethod
    def fit(cls, dataset: Dataset, config: DataConfig) -> ClassifyTask:
        """Learns the vocabulary or scale from the training part alone.

        Raises:
            DataError: The data set has no classes, or its training part has examples of one class only.
        """
        if not dataset.classes:
            raise DataError(f'"{dataset.name}" has values to predict and no classes; train it with the task "regress"')
        present = np.unique(dataset.train.targets)
        if len(present) < 2:
            only = dataset.classes[present[0]] if len(present) else "none"
            raise DataError(
                f'every training example of "{dataset.name}" has the same class "{only}"; '
                "a classifier needs examples of two classes at least"
            )
        return cls(fit_encoder(dataset.train.inputs, config), dataset.classes, dataset.columns)

    def state(self) -> dict[str, Any]:
        """All that is needed to predict, as values that JSON can hold."""
        return {"classes": self.classes, "columns": dict(self.columns), "encoder": encoder_state(self.encoder)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ClassifyTask:
        """The task whose `state()` this is."""
        return cls(encoder_from_state(state["encoder"]), tuple(state["classes"]), tuples(state["columns"]))

    def encode(self, split: Split) -> Examples:
        """Examples ready to be batched."""
        return encode(self.encoder, split.inputs, split.targets)

    def model(self, config: ModelConfig) -> nn.Module:
        """A network with fresh weights."""
        return network(self.encoder, config, outputs=len(self.classes))

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        r"""Cross-entropy: the mean of $-\log \mathrm{softmax}(outputs)_{target}$."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(outputs, batch.targets)

    def metrics(self, outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        """Accuracy, macro F1 and, where it is defined, the area under the ROC curve.

        For more than two classes the area is the mean over classes of "this class against all others". It is left out
        where a class has no example, or an output is not finite.

        Args:
            outputs: Scores of shape (examples, classes); probabilities do as well for everything but the area with more
                than two classes.
            targets: Class indices of shape (examples,).
        """
        from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

        labels = np.arange(len(self.classes))
        predicted = outputs.argmax(axis=1)
        values = {
            "accuracy": float(accuracy_score(targets, predicted)),
            "macro_f1": float(f1_score(targets, predicted, labels=labels, average="macro", zero_division=0)),
        }
        if len(np.unique(targets)) == len(labels) and np.isfinite(outputs).all():
            probabilities = _softmax(outputs)
            scores = probabilities[:, 1] if len(labels) == 2 else probabilities
            values["roc_auc"] = float(roc_auc_score(targets, scores, multi_class="ovr", labels=labels))
        return values

    def confusion_matrix(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """How many examples of each class (row) were taken for each class (column), shape (classes, classes)."""
        from sklearn.metrics import confusion_matrix

        return confusion_matrix(targets, outputs.argmax(axis=1), labels=np.arange(len(self.classes)))

    def predictions(self, outputs: np.ndarray) -> list[dict[str, Any]]:
        """For each row the likeliest class, its probability, and the probability of every class."""
        rows = []
        for row in _softmax(outputs):
            best = int(row.argmax())
            by_class = dict(zip(self.classes, row.tolist(), strict=True))
            rows.append({"label": self.classes[best], "probability": float(row[best]), "probabilities": by_class})
        return rows

    def baselines(self, dataset: Dataset) -> Sequence[Baseline]:
        """The most frequent class, and logistic regression: on TF-IDF of texts, on the plain values of series."""
        with single_threaded():
            if dataset.kind != "text":
                return [_majority(dataset), _values(dataset)]
            words = _tfidf(dataset, "TF-IDF + logistic regression", pairs=False)
            pairs = _tfidf(dataset, "TF-IDF bigrams + logistic regression", pairs=True)
            return [_majority(dataset), words, pairs]


def _softmax(scores: np.ndarray) -> np.ndarray:
    from scipy.special import softmax

    return softmax(scores.astype(np.float64), axis=1)


def _majority(dataset: Dataset) -> Baseline:
    start = perf_counter()
    counts = np.bincount(dataset.train.targets, minlength=len(dataset.classes))
    scores = np.log(np.maximum(counts / counts.sum(), _LEAST_PROBABILITY))
    about = f'Always answers "{dataset.classes[int(counts.argmax())]}", the most frequent class of the training part.'
    return Baseline("majority class", about, np.tile(scores, (len(dataset.test), 1)), perf_counter() - start, 1)


def _tfidf(dataset: Dataset, name: str, *, pairs: bool) -> Baseline:
    from gatework.tasks._tfidf import Tfidf, texts_of

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
    return Baseline(name, about, np.log(probabilities), perf_counter() - start, parameters)
