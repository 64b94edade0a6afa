r"""Linear classifiers of texts, series and sounds, as a few arrays that need no library to answer.

Each is a logistic regression whose penalty is chosen on the validation part, on one of these features:

- TF-IDF weights of words, or of words and pairs; see `gatework.tasks._tfidf`.
- Presence of runs of one to three words, each times its log-count ratio, one class against the others (NB-SVM):
  with $p_j$ the examples of the class that have term $j$, plus 1, and $q_j$ those of the others, plus 1,
  $r_j = \ln\frac{p_j / \lVert p \rVert_1}{q_j / \lVert q \rVert_1}$. The loss is the logistic one in place of the
  hinge, as in Mesnil et al., because it gives probabilities. Where texts have probabilities in the place of labels,
  each counts by them.
- The standardised values of all steps of a series; of series of several lengths, those of each variable's mean,
  standard deviation, least, largest, first and last value, and of the length.
- Of a recording, the mean of each cepstral coefficient (MFCC) of what is spoken in five parts of equal length, its
  standard deviation, and the length, standardised.

Sources: S. Wang and C. Manning, "Baselines and bigrams: simple, good sentiment and topic classification", ACL 2012;
G. Mesnil, T. Mikolov, M. Ranzato and Y. Bengio, "Ensemble of generative and discriminative techniques for sentiment
analysis of movie reviews", ICLR 2015 workshop.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gatework.data.dataset import Split
from gatework.data.inputs import RaggedSeries, SeriesInputs
from gatework.data.recordings import Recordings
from gatework.data.text import Texts, texts_of
from gatework.errors import DataError
from gatework.formatting import counted
from gatework.tasks._task import single_threaded
from gatework.tasks._terms import Terms
from gatework.tasks._tfidf import Tfidf
from gatework.tasks.classify.cepstral import pooled_sound
from gatework.tasks.classify.probable import Regression, regressions
from gatework.tasks.classify.spelling import Presence, WordsAndSpelling, present, spelt
from gatework.tasks.classify.strangers import left_out_in_turn

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from gatework.data.dataset import Dataset
    from gatework.data.inputs import Inputs

_STRENGTHS = (1.0, 4.0, 16.0)
"""Inverse penalties of the logistic regression, the strongest penalty first."""
_RATIO_STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)
"""The same for log-count ratios, which are larger than TF-IDF weights."""
_SOUND_STRENGTHS = (0.003, 0.03, 0.3, 3.0)
"""The same for recordings, whose features are fewer and depend on who speaks."""
_LONGEST_RUN = 3
_LONGEST_SPELLING = 6
_MOST_CHARACTERS = 3_000_000
"""Of the training part, beyond which how texts are spelt is not looked at: it takes too long, and words are enough."""
_SPELT_NAME = "NB-SVM words and spelling"
_LEAST = -27.6
"""The least log-probability: that of 1e-12."""
_NEVER = -1e30
"""The score of a class that the training part does not have."""


class Weights(NamedTuple):
    """What a linear classifier has learnt.

    Attributes:
        weights: Shape (features, classes), or (features, 1) of two classes: those of the second one.
        bias: Shape (classes,), or (1,).
        is_one_vs_rest: Whether each column is one class against the others, rather than a score among them.
        strength: The inverse penalty.
    """

    weights: np.ndarray
    bias: np.ndarray
    is_one_vs_rest: bool = False
    strength: float = 0.0

    def scores(self, features: Any) -> np.ndarray:
        """The log-probability of each class, shape (examples, classes), float64."""
        from scipy.special import log_expit, log_softmax

        sums = np.asarray(features @ self.weights) + self.bias
        if sums.shape[1] == 1:
            logs = np.concatenate([log_expit(-sums), log_expit(sums)], axis=1)
        else:
            logs = log_softmax(log_expit(sums) if self.is_one_vs_rest else sums, axis=1)
        scores: np.ndarray = np.maximum(logs, _LEAST)
        return scores


@dataclass(frozen=True, eq=False)
class LinearClassifier:
    """A linear classifier, fitted.

    Attributes:
        name: As it stands in tables.
        about: One sentence: what it does.
        features: Gives the features of inputs, shape (examples, features).
        learnt: The weights.
        seconds: What fitting it took.
        fit: Fits the same to other data, with these inverse penalties to choose among.
    """

    name: str
    about: str
    features: Callable[[Any], Any]
    learnt: Weights
    seconds: float
    fit: Callable[[Dataset, Sequence[float]], LinearClassifier] | None = None

    @property
    def short_name(self) -> str:
        """The name without what all of them are."""
        return self.name.removesuffix(" + logistic regression")

    @property
    def parameters(self) -> int:
        """How many numbers it learnt."""
        return int(self.learnt.weights.size + self.learnt.bias.size)

    def scores(self, inputs: Any) -> np.ndarray:
        """The log-probability of each class of texts or series, shape (examples, classes), float64.

        Raises:
            DataError: Series have another number of steps than those that it was fitted to.
        """
        features, known = self.features(inputs), len(self.learnt.weights)
        if features.shape[1] != known:
            raise DataError(
                f"each series has {counted(features.shape[1], 'value')}, expected {known:,} as in training: "
                f"{self.short_name}, which answers beside the network, takes no other length"
            )
        return self.learnt.scores(features)


_fitted: list[tuple[Dataset, Sequence[LinearClassifier]]] = []
"""The data that this process fitted last: baselines and the trainings of a comparison share the classifiers."""


def linear_classifiers(dataset: Dataset) -> Sequence[LinearClassifier]:
    """Every linear classifier that the inputs allow, fitted to the training part."""
    if not _fitted or _fitted[0][0] is not dataset:
        # Before a clock runs: the first import takes longer than such a fit.
        for module in ("linear_model", "preprocessing"):
            importlib.import_module(f"sklearn.{module}")
        with single_threaded():
            _fitted[:] = [(dataset, _all(dataset))]
    return _fitted[0][1]


def _all(dataset: Dataset) -> Sequence[LinearClassifier]:
    if isinstance(dataset.train.inputs, RaggedSeries):
        return [_pooled(dataset)]
    if isinstance(dataset.train.inputs, Recordings):
        return [_sounds(dataset)]
    if dataset.kind != "text":
        return [_values(dataset)]
    words = _nb_svm(dataset)
    if dataset.train.targets.ndim > 1:  # probabilities, from which the others learn nothing
        return [words]
    linear = [_tfidf(dataset, _STRENGTHS, pairs=False), _tfidf(dataset, _STRENGTHS, pairs=True), words]
    if texts_of(dataset.train).strings.str.len_chars().sum() <= _MOST_CHARACTERS:
        linear.append(_with_spelling(dataset, words, _RATIO_STRENGTHS))
    return linear


def refitted(linear: LinearClassifier, dataset: Dataset) -> LinearClassifier:
    """The same classifier fitted to the training and the validation part together, its penalty as it was chosen."""
    if linear.fit is None:
        raise ValueError(f"{linear.name} was read from a run and cannot be fitted again")
    with single_threaded():
        return linear.fit(together(dataset), [linear.learnt.strength])


def together(dataset: Dataset) -> Dataset:
    """The data with the training and the validation part together as the training part."""
    train, held = dataset.train, dataset.validation
    inputs: Inputs
    if isinstance(train.inputs, RaggedSeries) and isinstance(held.inputs, RaggedSeries):
        values = np.concatenate([train.inputs.values, held.inputs.values])
        inputs = RaggedSeries(values, np.concatenate([train.inputs.lengths, held.inputs.lengths]).cumsum())
    elif isinstance(train.inputs, Recordings) and isinstance(held.inputs, Recordings):
        inputs = Recordings.joined([train.inputs, held.inputs])
    elif dataset.kind == "text":
        inputs = Texts.joined([texts_of(train), texts_of(held)])
    else:
        inputs = SeriesInputs.of(np.concatenate([np.asarray(train.inputs), np.asarray(held.inputs)]))
    likely = train.targets.ndim > 1
    known = np.eye(len(dataset.classes), dtype=train.targets.dtype)[held.targets] if likely else held.targets
    return replace(dataset, train=Split(inputs, np.concatenate([train.targets, known])))


def _tfidf(dataset: Dataset, strengths: Sequence[float], *, pairs: bool) -> LinearClassifier:
    start = perf_counter()
    name = f"TF-IDF{' bigrams' if pairs else ''} + logistic regression"
    features, train = Tfidf.fit(texts_of(dataset.train), pairs=pairs)
    terms = "words and pairs of neighbouring words" if pairs else "words"
    about = f"Logistic regression on the TF-IDF weights of {terms}; the order of the text is not seen otherwise."
    learnt = _best(_multinomial(dataset, train, strengths), dataset, features(texts_of(dataset.validation)))
    return LinearClassifier(name, about, features, learnt, perf_counter() - start, partial(_tfidf, pairs=pairs))


def _values(dataset: Dataset, strengths: Sequence[float] = _STRENGTHS) -> LinearClassifier:
    about = "Logistic regression on the standardised values of all steps."
    return _standardised(dataset, strengths, "logistic regression", about, flat, _values)


def _pooled(dataset: Dataset, strengths: Sequence[float] = _STRENGTHS) -> LinearClassifier:
    about = (
        "Logistic regression on the mean, standard deviation, least, largest, first and last value of each variable, "
        "and the length."
    )
    return _standardised(dataset, strengths, "pooled values + logistic regression", about, pooled, _pooled)


def _sounds(dataset: Dataset, strengths: Sequence[float] = _SOUND_STRENGTHS) -> LinearClassifier:
    about = (
        "Logistic regression on cepstral coefficients (MFCC) of what is spoken: their means in five parts, their "
        "standard deviations, and the length."
    )
    return _standardised(dataset, strengths, "pooled MFCC + logistic regression", about, pooled_sound, _sounds)


def _standardised(
    dataset: Dataset,
    strengths: Sequence[float],
    name: str,
    about: str,
    features: Callable[[Any], np.ndarray],
    again: Callable[[Dataset, Sequence[float]], LinearClassifier],
) -> LinearClassifier:
    from sklearn.preprocessing import StandardScaler

    start = perf_counter()
    train, validation = features(dataset.train.inputs), features(dataset.validation.inputs)
    scaler = StandardScaler().fit(train)
    if len(strengths) > 1:
        strengths = _best_for_strangers(dataset, scaler.transform(train), strengths)
    learnt = _best(_multinomial(dataset, scaler.transform(train), strengths), dataset, scaler.transform(validation))
    # What acts on standardised values, as what acts on plain ones.
    weights = learnt.weights / scaler.scale_[:, None]
    learnt = learnt._replace(weights=weights, bias=learnt.bias - scaler.mean_ @ weights)
    return LinearClassifier(name, about, features, learnt, perf_counter() - start, again)


def _with_spelling(dataset: Dataset, words: LinearClassifier, strengths: Sequence[float]) -> LinearClassifier:
    """The mean of NB-SVM on words and on characters, whose scores of the validation part are scaled alike."""
    start, held = perf_counter(), spelt(texts_of(dataset.validation))
    terms, counts = Terms.fit(spelt(texts_of(dataset.train)), _LONGEST_SPELLING)
    presence: Any = words.features
    spelling = Presence(terms)
    learnt = _best(_one_vs_rest(dataset, present(counts), strengths), dataset, spelling(held))
    sums = (
        words.features(texts_of(dataset.validation)) @ words.learnt.weights + words.learnt.bias,
        spelling(held) @ learnt.weights + learnt.bias,
    )
    spread = [float(np.std(each)) or 1.0 for each in sums]
    shares = [sum(spread) / 4 / each for each in spread]
    weights = np.concatenate([shares[0] * words.learnt.weights, shares[1] * learnt.weights])
    bias = shares[0] * words.learnt.bias + shares[1] * learnt.bias
    about = f"{words.about} The mean of it and of the same on characters and runs of up to {_LONGEST_SPELLING} of them."
    return LinearClassifier(
        _SPELT_NAME, about, WordsAndSpelling(presence, spelling),
        Weights(weights, bias, is_one_vs_rest=True), words.seconds + perf_counter() - start,
        lambda whole, _: _with_spelling(whole, _nb_svm(whole, [words.learnt.strength]), [learnt.strength]),
    )  # fmt: skip


def _nb_svm(dataset: Dataset, strengths: Sequence[float] = _RATIO_STRENGTHS) -> LinearClassifier:
    start = perf_counter()
    terms, counts = Terms.fit(texts_of(dataset.train), _LONGEST_RUN)
    about = (
        "NB-SVM: logistic regression on which words and runs of two and three words a text has, each times how much "
        "more often one class has it."
    )
    presence = Presence(terms)
    learnt = _best(_one_vs_rest(dataset, present(counts), strengths), dataset, presence(texts_of(dataset.validation)))
    return LinearClassifier("NB-SVM trigrams", about, presence, learnt, perf_counter() - start, _nb_svm)


def flat(inputs: Any) -> np.ndarray:
    """Series as features: the values of all steps, shape (examples, steps * variables), float64.

    Raises:
        DataError: The series have several lengths.
    """
    if isinstance(inputs, RaggedSeries):
        least, most = int(inputs.lengths.min()), int(inputs.lengths.max())
        if least < most:
            raise DataError(
                f"the series have {least:,} to {most:,} steps, expected one length, as in training: logistic "
                "regression, which answers beside the network, takes no other"
            )
        return np.asarray(inputs.values, dtype=np.float64).reshape(len(inputs), -1)
    values = np.asarray(inputs, dtype=np.float64)
    return values.reshape(len(values), -1)


def pooled(inputs: Any) -> np.ndarray:
    """Series as features: statistics of each variable and the length, shape (examples, 6 * variables + 1), float64."""
    rows = []
    for k in range(len(inputs)):
        series = np.asarray(inputs[k], dtype=np.float64)
        each = (series.mean(0), series.std(0), series.min(0), series.max(0), series[0], series[-1], [len(series)])
        rows.append(np.concatenate(each))
    return np.array(rows).reshape(len(inputs), -1)


def _best(fits: Iterator[Weights], dataset: Dataset, validation: Any) -> Weights:
    """The first of those fits whose accuracy on the validation part is highest."""
    targets = dataset.validation.targets
    return max(fits, key=lambda fit: float((fit.scores(validation).argmax(axis=1) == targets).mean()))


def _best_for_strangers(dataset: Dataset, train: np.ndarray, strengths: Sequence[float]) -> Sequence[float]:
    """The inverse penalty that answers each training speaker best by the others; all where nobody new is answered."""
    right = np.zeros(len(strengths))
    for is_out in left_out_in_turn(dataset):
        others = replace(dataset, train=dataset.train.take(np.flatnonzero(~is_out)))
        fits = _multinomial(others, train[~is_out], strengths)
        targets, held = dataset.train.targets[is_out], train[is_out]
        right += [float((fit.scores(held).argmax(axis=1) == targets).sum()) for fit in fits]
    return [strengths[int(right.argmax())]] if right.any() else strengths


def _multinomial(dataset: Dataset, train: Any, strengths: Sequence[float]) -> Iterator[Weights]:
    """Logistic regressions over all classes, the strongest penalty first."""
    from sklearn.linear_model import LogisticRegression

    # Each fit starts from the weights of the stronger penalty before it.
    fitted = LogisticRegression(max_iter=1000, warm_start=True)
    classes = len(dataset.classes)
    for strength in strengths:
        fitted.set_params(C=strength).fit(train, dataset.train.targets)
        weights, bias = fitted.coef_.T.copy(), fitted.intercept_.copy()
        if classes > len(fitted.classes_) or (classes > 2 and len(bias) == 1):
            weights, bias = _among(classes, fitted.classes_, weights, bias)
        yield Weights(weights, bias, strength=strength)


def _among(classes: int, known: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The weights of some classes among those of all, where the others never answer."""
    if len(bias) == 1:
        weights, bias = np.concatenate([0 * weights, weights], axis=1), np.concatenate([0 * bias, bias])
    all_weights, all_bias = np.zeros((len(weights), classes)), np.full(classes, _NEVER)
    all_weights[:, known], all_bias[known] = weights, bias
    return all_weights, all_bias


def _one_vs_rest(dataset: Dataset, train: csr_matrix, strengths: Sequence[float]) -> Iterator[Weights]:
    """Logistic regressions of each class against the others on its log-count ratios, the strongest penalty first."""
    targets, classes = dataset.train.targets, len(dataset.classes)
    likely = targets if targets.ndim > 1 else np.eye(classes)[targets]
    sides = [side for side in ([1] if classes == 2 else range(classes)) if likely[:, side].any()]
    ratios = [_log_count_ratios(train, likely[:, side]) for side in sides]
    fit = _of_labels if targets.ndim == 1 else regressions
    fits = [
        fit(train.multiply(ratio).tocsr(), likely[:, side], strengths)
        for side, ratio in zip(sides, ratios, strict=True)
    ]
    for each in zip(*fits, strict=True):
        weights = np.stack([ratio * one.weights for ratio, one in zip(ratios, each, strict=True)], axis=1)
        bias = np.array([one.bias for one in each])
        if classes > 2:
            weights, bias = _among(classes, np.array(sides), weights, bias)
        yield Weights(weights, bias, is_one_vs_rest=True, strength=each[0].strength)


def _of_labels(features: csr_matrix, is_side: np.ndarray, strengths: Sequence[float]) -> Iterator[Regression]:
    """As `regressions()`, of what is one class and what is not."""
    from sklearn.linear_model import LogisticRegression

    fit = LogisticRegression(max_iter=1000, warm_start=True)
    for strength in strengths:
        fit.set_params(C=strength).fit(features, is_side > 0)
        yield Regression(strength, fit.coef_[0].copy(), float(fit.intercept_[0]))


def _log_count_ratios(presence: csr_matrix, likely: np.ndarray) -> np.ndarray:
    one, other = (presence.T @ share + 1 for share in (likely, 1 - likely))
    ratios: np.ndarray = np.log(one / one.sum()) - np.log(other / other.sum())
    return ratios
