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
from gatework.tasks.classify.linear import LinearClassifier, Presence, Weights, flat, pooled

_WORDS, _RUN = "words", "run"
_OF_SERIES = {"values": flat, "pooled": pooled, "sound": pooled_sound}
"""The features of series and sounds, which have no numbers of their own."""


def to_arrays(linear: LinearClassifier) -> dict[str, np.ndarray]:
    """All that is needed to answer; weights as float32."""
    features, learnt = linear.features, linear.learnt
    kind = "tfidf" if isinstance(features, Tfidf) else "presence" if isinstance(features, Presence) else ""
    kind = kind or next(name for name, each in _OF_SERIES.items() if each is features)
    about = {"name": linear.name, "about": linear.about, "features": kind, "one_vs_rest": learnt.is_one_vs_rest}
    arrays = {
        "about": array_of(json.dumps(about)),
        "weights": _single(learnt.weights),
        "bias": _single(learnt.bias),
    }
    if isinstance(features, Tfidf):
        arrays["rarity"] = _single(features.rarity)
    if isinstance(features, (Tfidf, Presence)):
        arrays[_WORDS] = array_of("\n".join(features.terms.vocabulary.words))
        arrays |= {f"{_RUN}{k}": run for k, run in enumerate(features.terms.runs, start=2)}
    return arrays


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
        features: Any = _OF_SERIES[kind] if kind in _OF_SERIES else _of_terms(kind, arrays, len(weights))
        learnt = Weights(weights, bias, bool(about["one_vs_rest"]))
        if weights.ndim != 2 or bias.shape != weights.shape[1:] or len(bias) != (1 if classes == 2 else classes):
            raise ValueError(f"weights of shape {weights.shape} do not fit {classes} classes")
        return LinearClassifier(str(about["name"]), str(about["about"]), features, learnt, 0.0)
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(f"the linear classifier lacks {error}") from None


def _of_terms(kind: str, arrays: Mapping[str, np.ndarray], count: int) -> Tfidf | Presence:
    words = tuple(text_of(arrays[_WORDS]).split("\n"))
    names = [f"{_RUN}{k}" for k in range(2, 2 + sum(name.startswith(_RUN) for name in arrays))]
    terms = Terms(Vocabulary(words), tuple(arrays[name] for name in names))
    if len(terms) != count or any(run.ndim != 1 or run.dtype != np.int64 for run in terms.runs):
        raise ValueError(f"{len(terms)} terms do not fit {count} weights")
    if kind == "presence":
        return Presence(terms)
    rarity = arrays["rarity"].astype(np.float64)
    if rarity.shape != (count,):
        raise ValueError(f"a rarity of shape {rarity.shape} does not fit {count} terms")
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
