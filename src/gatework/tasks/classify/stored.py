"""A linear classifier as named arrays, as a run keeps it, and back; nothing in it is code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from gatework.data.text import Vocabulary
from gatework.tasks._terms import Terms
from gatework.tasks._tfidf import Tfidf
from gatework.tasks.classify.cepstral import pooled_sound
from gatework.tasks.classify.linear import LinearClassifier, Weights, flat, pooled
from gatework.tasks.classify.spelling import Presence, WordsAndSpelling

_WORDS, _RUN, _SPELLING = "words", "run", "spelling_"
_OF_SERIES = {"values": flat, "pooled": pooled, "sound": pooled_sound}
"""The features of series and sounds, which have no numbers of their own."""


def to_arrays(linear: LinearClassifier) -> dict[str, np.ndarray]:
    """All that is needed to answer; weights as float32."""
    learnt = linear.learnt
    kind, of_features = _kept(linear.features)
    about = {"name": linear.name, "about": linear.about, "features": kind, "one_vs_rest": learnt.is_one_vs_rest}
    arrays = {
        "about": array_of(json.dumps(about)),
        "weights": _single(learnt.weights),
        "bias": _single(learnt.bias),
    }
    return arrays | of_features


def _kept(features: Any) -> tuple[str, dict[str, np.ndarray]]:
    """What features are called, and their numbers."""
    if isinstance(features, WordsAndSpelling):
        spelling = {f"{_SPELLING}{name}": array for name, array in _of_terms(features.spelling).items()}
        return "words and spelling", _of_terms(features.words) | spelling
    if isinstance(features, Tfidf):
        return "tfidf", _of_terms(features)
    if isinstance(features, Presence):
        return "presence", _of_terms(features)
    return next(name for name, each in _OF_SERIES.items() if each is features), {}


def _of_terms(features: Tfidf | Presence) -> dict[str, np.ndarray]:
    arrays = {_WORDS: array_of("\n".join(features.terms.vocabulary.words))}
    arrays |= {f"{_RUN}{k}": run for k, run in enumerate(features.terms.runs, start=2)}
    return arrays | ({"rarity": _single(features.rarity)} if isinstance(features, Tfidf) else {})


def from_arrays(arrays: Mapping[str, np.ndarray], classes: int) -> LinearClassifier:
    """The classifier whose `to_arrays()` these are.

    Args:
        arrays: By name.
        classes: How many classes it tells apart.

    Raises:
        ValueError: They do not fit each other.
    """
    try:
        about = json.loads(text_of(arrays["about"]))
        weights, bias = (arrays[name].astype(np.float64) for name in ("weights", "bias"))
        kind = about["features"]
        features: Any = _OF_SERIES[kind] if kind in _OF_SERIES else _features(kind, arrays, len(weights))
        learnt = Weights(weights, bias, bool(about["one_vs_rest"]))
        if weights.ndim != 2 or bias.shape != weights.shape[1:] or len(bias) != (1 if classes == 2 else classes):
            raise ValueError(f"weights of shape {weights.shape} do not fit {classes} classes")
        return LinearClassifier(str(about["name"]), str(about["about"]), features, learnt, 0.0)
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(f"the linear classifier lacks {error}") from None


def _features(kind: str, arrays: Mapping[str, np.ndarray], count: int) -> Tfidf | Presence | WordsAndSpelling:
    features: Any
    if kind == "words and spelling":
        of_words = {name: array for name, array in arrays.items() if not name.startswith(_SPELLING)}
        spelling = {name.removeprefix(_SPELLING): arrays[name] for name in arrays if name.startswith(_SPELLING)}
        features = WordsAndSpelling(Presence(_terms(of_words)), Presence(_terms(spelling)))
    else:
        features = Presence(_terms(arrays)) if kind == "presence" else _tfidf(arrays)
    known = [features.words, features.spelling] if isinstance(features, WordsAndSpelling) else [features]
    terms = sum(len(each.terms) for each in known)
    if terms != count:
        raise ValueError(f"{terms} terms do not fit {count} weights")
    return features


def _terms(arrays: Mapping[str, np.ndarray]) -> Terms:
    words = tuple(text_of(arrays[_WORDS]).split("\n"))
    names = [f"{_RUN}{k}" for k in range(2, 2 + sum(name.startswith(_RUN) for name in arrays))]
    terms = Terms(Vocabulary(words), tuple(arrays[name] for name in names))
    if any(run.ndim != 1 or run.dtype != np.int64 for run in terms.runs):
        raise ValueError("runs of terms are of another shape or type")
    return terms


def _tfidf(arrays: Mapping[str, np.ndarray]) -> Tfidf:
    terms, rarity = _terms(arrays), arrays["rarity"].astype(np.float64)
    if rarity.shape != (len(terms),):
        raise ValueError(f"a rarity of shape {rarity.shape} does not fit {len(terms)} terms")
    return Tfidf(terms, rarity)


def array_of(text: str) -> np.ndarray:
    """A text as the bytes of its UTF-8."""
    return np.frombuffer(text.encode() or b" ", dtype=np.uint8).copy()


def text_of(array: np.ndarray) -> str:
    """The text of such bytes.

    Raises:
        ValueError: They are none.
    """
    return array.tobytes().decode()


def _single(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.float32)
