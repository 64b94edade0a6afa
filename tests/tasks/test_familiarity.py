"""A second look at what a network takes for words: familiar ones are likely, strange ones the less the stranger."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gatework.data.inputs import RaggedSeries
from gatework.tasks._heard import TRAITS, heard, traits
from gatework.tasks._warping import distances
from gatework.tasks.classify import familiarity
from gatework.tasks.classify.familiarity import Familiarity, Taken

CLASSES, WIDTH = 3, 5


def known(count=40):
    """Views of words of the first two classes of three, stretched along one direction, and their classes."""
    random = np.random.default_rng(0)
    labels = np.arange(count) % 2
    spread = np.array([3.0, 1.0, 0.5, 1.0, 1.0])
    return np.array([[0.0] * WIDTH, [4.0] * WIDTH])[labels] + spread * random.standard_normal((count, WIDTH)), labels


def sounds(count, seed=0):
    """Windows of sound that swells and sinks, shape (frames, bands) each."""
    random = np.random.default_rng(seed)
    return [random.uniform(8, 16, (int(length), 14)).astype(np.float32) for length in random.integers(9, 16, count)]


def taken(views, labels, chance=0.7):
    return Taken(np.array(labels), np.full(len(views), chance), np.array(views), sounds(len(views), 1))


def fitted():
    familiar = Familiarity(CLASSES, WIDTH)
    views, labels = known()
    familiar.fit(Taken(labels, np.full(len(views), 0.7), views, sounds(len(views))))
    return familiar


def by_hand(each, labels, one, label):
    """Mahalanobis' distance for each number, from the formula."""
    centres = {0: each[labels == 0].mean(0), 1: each[labels == 1].mean(0), 2: each.mean(0)}
    apart, width = each - np.array([centres[k] for k in labels]), len(one)
    covariance = apart.T @ apart / len(each)
    drawn = width / (width + len(each))
    covariance = (1 - drawn) * covariance + drawn * np.trace(covariance) / width * np.eye(width)
    away = one - centres[label]
    return np.sqrt(away @ np.linalg.solve(covariance, away) / width)


def traits_by_hand(frames):
    """Of frames that are all spoken, from the formula; a movement of 0.05 is none."""
    count = frames.shape[1]
    basis = np.cos(np.pi * np.outer(np.arange(count) + 0.5, np.arange(13)) / count) * np.sqrt(2 / count)
    each = frames.astype(float) @ basis
    moved = np.abs(each[1:] - each[:-1]).sum(0) / len(each)
    return [*each.mean(0)[1:], *np.log(each.std(0) + 0.05), *np.log(moved + 0.05), np.log(len(each))]


def log_odds(p):
    return np.log(p) - np.log1p(-p)


def test_views_and_sounds_are_as_far_as_the_formulas_say_and_the_median_word_is_at_1():
    familiar, (views, labels) = fitted(), known()
    kept = sounds(len(views))
    familiar.keep(kept, labels)
    each = taken(views, labels)
    looks = [by_hand(views, labels, view, label) for view, label in zip(views, labels, strict=True)]
    fitted_to, seen = (np.array([traits_by_hand(one) for one in some]) for some in (kept, each.sounds))
    characters = [by_hand(fitted_to, labels, one, label) for one, label in zip(seen, labels, strict=True)]
    series, near = RaggedSeries.of([heard(one) for one in kept]), []
    for one, label in zip(each.sounds, labels, strict=True):
        apart = distances(RaggedSeries.of([heard(one)]), series)[0] / (len(heard(one)) + series.lengths)
        near.append(np.sort(apart[labels == label])[:3].mean())
    expected = np.array([looks, near, characters])
    is_word = np.arange(len(views)) % 3 > 0
    familiar.learn(each, is_word)
    medians = np.median(expected[:, is_word], axis=1)
    # Distances of sounds are sums of squares in float32.
    np.testing.assert_allclose(familiar.medians, medians, rtol=1e-4)
    familiar.weights.copy_(torch.tensor([0.5, 1.0, 2.0, 3.0, 1.5]))
    said = 0.5 + log_odds(0.7) + np.array([2.0, 3.0, 1.5]) @ (1 - expected / medians[:, None])
    np.testing.assert_allclose(log_odds(familiar.probabilities(each)), said, rtol=1e-3, atol=1e-3)


def test_a_note_that_only_fades_has_other_traits_than_a_word_although_it_runs_like_one():
    """Each in its own deviations, as they are compared by time warping, a softer movement is the same one."""
    word = sounds(1)[0]
    note = (word.mean() + 0.02 * (word - word.mean())).astype(np.float32)
    np.testing.assert_allclose(heard(note), heard(word), atol=0.3)
    familiar = fitted()
    of_word, of_note = familiar.traits.distances(np.array([traits(word), traits(note)]), np.array([0, 0]))
    assert of_note > 3 * of_word
    assert traits(word[:1, :5]).shape == (TRAITS,), "of one frame and few bands"
    assert np.isfinite(traits(word[:1, :5])).all()


def test_what_is_weighed_is_learnt_from_words_and_other_sounds():
    """The weights are where the likelihood, less what draws them to the network alone, is highest."""
    familiar, (views, labels) = fitted(), known(200)
    is_word = np.arange(len(views)) % 2 == 0
    views[~is_word] += 3
    each = taken(views, labels)
    familiar.learn(each, is_word)
    x = familiarity._seen(each.chances, familiar._apart(each) / familiar.medians.numpy())
    wrong = is_word - familiar.probabilities(each)
    drawn = 0.1 * (familiar.weights.numpy() - [0, 1, 0, 0, 0])
    np.testing.assert_allclose(x.T @ wrong, drawn, atol=1e-6)
    assert familiar.weights[2] > 1, "what looks strange is no word here"


def test_before_anything_is_learnt_the_network_is_right():
    for familiar in (Familiarity(CLASSES, WIDTH), fitted()):
        each = taken(np.random.default_rng(3).standard_normal((4, WIDTH)), [0, 1, 2, 0])
        familiar.learn(each, np.zeros(4, dtype=bool))
        np.testing.assert_allclose(familiar.probabilities(each), 0.7, rtol=1e-6)
    assert not len(familiar.probabilities(taken(np.zeros((0, WIDTH)), np.zeros(0, dtype=int))))


@pytest.mark.parametrize("views", [np.zeros((0, WIDTH)), np.ones((4, WIDTH))])
def test_no_words_and_equal_ones_are_no_trouble(views):
    familiar = Familiarity(CLASSES, WIDTH)
    labels = np.zeros(len(views), dtype=np.int64)
    each = taken(views, labels)
    familiar.fit(each)
    familiar.keep(sounds(len(views)), labels)
    familiar.learn(each, np.ones(len(views), dtype=bool))
    assert np.isfinite(familiar.probabilities(taken(np.ones((2, WIDTH)), [0, 2]))).all()
    assert all(torch.isfinite(tensor).all() for tensor in familiar.state_dict().values())


def test_recordings_are_kept_with_the_network_evenly_and_wrong_ones_are_refused(monkeypatch):
    monkeypatch.setattr(familiarity, "_MOST_FRAMES", sum(map(len, sounds(12))) // 2)
    familiar, labels = fitted(), np.arange(12) % 2
    familiar.keep(sounds(12), labels)
    assert np.bincount(familiar.labels).tolist() in ([2, 2], [3, 3])
    each = taken(*known(6))
    familiar.learn(each, np.ones(6, dtype=bool))
    again = Familiarity(CLASSES, WIDTH)
    again.load_state_dict(familiar.state_dict())
    assert np.array_equal(again.probabilities(each), familiar.probabilities(each))
    state = familiar.state_dict()
    for name, wrong in (("labels", state["labels"] + 9), ("ends", state["ends"][1:]), ("known", state["known"][1:])):
        with pytest.raises(RuntimeError, match="keywords are compared with"):
            Familiarity(CLASSES, WIDTH).load_state_dict(state | {name: wrong})
