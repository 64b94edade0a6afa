r"""How likely it is that a word was said where a network takes what it hears for one: a second look.

A classifier is as sure of some sounds that are no words as it is of words, but its view of them, what its pooling makes
of its states, lies elsewhere, and so does the sound itself. With $\mu_k$ the mean view of the training part's words of
class $k$, each heard in a stream, and $\Sigma$ their common covariance, a view $v$ of $n$ numbers is as far from the
class as

$$ m_k = \sqrt{(v - \mu_k)^\top \Sigma^{-1} (v - \mu_k) / n}. $$

The sound is as far from it as $d_k$, the mean over the three nearest of its training recordings that are kept, by
dynamic time warping of what is spoken. That compares each recording in its own deviations from its own mean, so that a
note that only fades may run like a word. So $t_k$ is how far its traits are, the means, deviations and movements of its
cepstral coefficients and its length, by the formula of $m_k$. With the medians of all three over the validation part's
words at 1,

$$ P = \sigma\bigl(b + w_1 \operatorname{logit} p_k - w_2 (m_k - 1) - w_3 (d_k - 1) - w_4 (t_k - 1)\bigr), $$

where $p_k$ is what the network says. The five weights are a logistic regression on what a stream of the validation part
was taken for, words and other sounds; they are drawn to $w_1 = 1$ and 0 for the rest, which is the network alone, the
more the less was heard.

Source: K. Lee, K. Lee, H. Lee and J. Shin, "A simple unified framework for detecting out-of-distribution samples and
adversarial attacks", NeurIPS 2018, for the views.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from gatework.data.inputs import RaggedSeries
from gatework.tasks._heard import TRAITS, heard, traits
from gatework.tasks._logistic import fitted, probabilities
from gatework.tasks._warping import distances

_LEAST = 1e-6
_NEAREST = 3
_MOST_FRAMES = 12_000
"""Frames of known recordings that are kept: a second look takes 2 ms."""
_NETWORK_ALONE = (0.0, 1.0, 0.0, 0.0, 0.0)
_DISTANCES = 3
_RIDGE = 0.1
_KNOWN = ("known", "ends", "labels")
"""The buffers whose size is known only from what is kept."""


class Taken(NamedTuple):
    """What a network takes for words.

    Attributes:
        labels: The class of each, shape (words,).
        chances: Its probability, shape (words,).
        views: What is behind it, shape (words, width).
        sounds: The frames of each window, shape (frames, bands).
    """

    labels: np.ndarray
    chances: np.ndarray
    views: np.ndarray
    sounds: Sequence[np.ndarray]


class Whereabouts(nn.Module):
    """Where words of each class lie among some numbers, and how far others are from there: all buffers.

    Args:
        classes: How many classes there are.
        width: How many numbers.
    """

    centres: Tensor
    whitening: Tensor

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.zeros(classes, width, dtype=torch.float64))
        self.register_buffer("whitening", torch.zeros(width, width, dtype=torch.float64))

    def fit(self, each: np.ndarray, labels: np.ndarray) -> None:
        """Learns from words; a class without any is where all words are, and without any at all nothing is far.

        The covariance is drawn to a multiple of the identity, the more the fewer words there are.

        Args:
            each: Their numbers, shape (words, width).
            labels: The class of each, shape (words,).
        """
        count, width = each.shape
        self.whitening.zero_()
        if not count:
            return
        centres = np.tile(each.mean(axis=0), (len(self.centres), 1))
        for label in np.unique(labels):
            centres[label] = each[labels == label].mean(axis=0)
        apart = each - centres[labels]
        covariance = apart.T @ apart / count
        drawn, even = width / (width + count), max(float(np.trace(covariance)) / width, _LEAST)
        covariance = (1 - drawn) * covariance + drawn * even * np.eye(width)
        self.centres.copy_(torch.from_numpy(centres))
        self.whitening.copy_(torch.from_numpy(np.linalg.cholesky(np.linalg.inv(covariance))))

    def distances(self, each: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Mahalanobis' distance of each from its class, shape (words,); the arguments are those of `fit()`."""
        away = (each - self.centres.numpy()[labels]) @ self.whitening.numpy()
        far: np.ndarray = np.sqrt((away**2).sum(axis=1) / max(away.shape[1], 1))
        return far


class Familiarity(nn.Module):
    """A second look at words that a network has heard: all buffers; before it is fitted the network is right.

    Args:
        classes: How many classes there are.
        width: Numbers of a view.

    Attributes:
        classes: How many classes there are.
        width: Numbers of a view.
        views: Where the network's views of words lie.
        traits: Where the words' traits lie.
    """

    medians: Tensor
    weights: Tensor
    known: Tensor
    ends: Tensor
    labels: Tensor

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.classes, self.width = classes, width
        self.views, self.traits = Whereabouts(classes, width), Whereabouts(classes, TRAITS)
        self.register_buffer("medians", torch.ones(_DISTANCES, dtype=torch.float64))
        self.register_buffer("weights", torch.tensor(_NETWORK_ALONE, dtype=torch.float64))
        self.register_buffer("known", torch.zeros(0, 0))
        self.register_buffer("ends", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("labels", torch.zeros(0, dtype=torch.int64))

    def fit(self, taken: Taken) -> None:
        """Learns how known words look and what their traits are.

        Args:
            taken: Words.
        """
        self.medians.fill_(1.0)
        self.weights.copy_(torch.tensor(_NETWORK_ALONE))
        self.views.fit(taken.views, taken.labels)
        self.traits.fit(_traits_of(taken), taken.labels)

    def keep(self, sounds: Sequence[np.ndarray], labels: np.ndarray) -> None:
        """Keeps recordings of words to compare with, evenly chosen ones of each class where they are too many.

        Args:
            sounds: Their frames, shape (frames, bands) each.
            labels: The class of each, shape (words,).
        """
        if not len(sounds):
            return
        step = -(-sum(map(len, sounds)) // _MOST_FRAMES)
        chosen = np.sort(np.argsort(labels, kind="stable")[::step])
        kept = RaggedSeries.of([heard(sounds[place]) for place in chosen])
        self.known, self.ends = torch.from_numpy(kept.values), torch.from_numpy(kept.ends)
        self.labels = torch.from_numpy(labels[chosen].astype(np.int64))

    def learn(self, taken: Taken, is_word: np.ndarray) -> None:
        """Learns from what a stream of held-back recordings was taken for; without a word in it, nothing.

        Args:
            taken: Words, and sounds that are none.
            is_word: Which is which, shape (words,).
        """
        if not is_word.any():
            return
        far = self._apart(taken)
        medians = np.maximum(np.median(far[is_word], axis=0), _LEAST)
        self.medians.copy_(torch.from_numpy(medians))
        alone = np.array(_NETWORK_ALONE)
        x = _seen(taken.chances, far / medians)
        weights = fitted(x, is_word.astype(float), np.full(len(alone), _RIDGE), alone, longest=1.0)
        self.weights.copy_(torch.from_numpy(weights))

    def probabilities(self, taken: Taken) -> np.ndarray:
        """How likely it is that each word was said, shape (words,)."""
        x = _seen(taken.chances, self._apart(taken) / self.medians.numpy())
        return probabilities(x, self.weights.numpy())

    def _apart(self, taken: Taken) -> np.ndarray:
        """How far each is from its class: as the network views it, as it sounds and by its traits, shape (words, 3)."""
        views = self.views.distances(taken.views, taken.labels)
        sounds = np.array([self._nearest(*each) for each in zip(taken.sounds, taken.labels, strict=True)])
        traits_apart = self.traits.distances(_traits_of(taken), taken.labels)
        return np.stack([views, sounds.reshape(len(views)), traits_apart], axis=1)

    def _nearest(self, sound: np.ndarray, label: int) -> float:
        """The mean distance to the three nearest recordings of a class; 0 where none is kept."""
        of_class = np.flatnonzero(self.labels.numpy() == label)
        if not len(of_class):
            return 0.0
        known = RaggedSeries(self.known.numpy(), self.ends.numpy())[of_class]
        asked = RaggedSeries.of([heard(sound)])
        apart = distances(asked, known)[0] / (asked.lengths[0] + known.lengths)
        count = min(_NEAREST, len(apart))
        return float(np.partition(apart, count - 1)[:count].mean())

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        # How many recordings are kept is known only from the file.
        known, ends, labels = kept = [state_dict.get(prefix + name, getattr(self, name)) for name in _KNOWN]
        is_of_type = known.dtype == torch.float32 and ends.dtype == labels.dtype == torch.int64
        if [each.dim() for each in kept] != [2, 1, 1] or not is_of_type:
            raise RuntimeError("the recordings that keywords are compared with are of another shape or type")
        lengths = torch.diff(ends, prepend=ends.new_zeros(1))
        is_whole = len(ends) == len(labels) and int(ends[-1] if len(ends) else 0) == len(known) and (lengths > 0).all()
        if not is_whole or ((labels < 0) | (labels >= self.classes)).any():
            raise RuntimeError("the recordings that keywords are compared with do not fit the classes")
        for name, each in zip(_KNOWN, kept, strict=True):
            setattr(self, name, torch.zeros_like(each))
        super()._load_from_state_dict(state_dict, prefix, *rest)


def _seen(chances: np.ndarray, far: np.ndarray) -> np.ndarray:
    """What is weighed of each word, shape (words, 5)."""
    sure = np.clip(chances, _LEAST, 1 - _LEAST)
    return np.column_stack([np.ones(len(sure)), np.log(sure) - np.log1p(-sure), 1 - far])


def _traits_of(taken: Taken) -> np.ndarray:
    """The traits of each sound, shape (words, `TRAITS`)."""
    return np.array([traits(sound) for sound in taken.sounds]).reshape(len(taken.sounds), TRAITS)
