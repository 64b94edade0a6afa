"""Words that a network knows are heard as they are, and what looks like none of them is less likely, the more so."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gatework.tasks.classify.familiarity import Familiarity
from gatework.tasks.classify.spotting import Truth, smoothed, spotted, words_heard

CLASSES, WIDTH = 3, 5


def known(count=40):
    """Views of words of the first two classes of three, stretched along one direction, and their classes."""
    random = np.random.default_rng(0)
    labels = np.arange(count) % 2
    spread = np.array([3.0, 1.0, 0.5, 1.0, 1.0])
    return np.array([[0.0] * WIDTH, [4.0] * WIDTH])[labels] + spread * random.standard_normal((count, WIDTH)), labels


def fitted():
    familiar = Familiarity(CLASSES, WIDTH)
    familiar.fit(*known())
    return familiar


def by_hand(view, label):
    """Mahalanobis' distance for each number of a view, from the formula."""
    views, labels = known()
    centres = {0: views[labels == 0].mean(0), 1: views[labels == 1].mean(0), 2: views.mean(0)}
    apart = views - np.array([centres[k] for k in labels])
    covariance = apart.T @ apart / len(views)
    drawn = WIDTH / (WIDTH + len(views))
    covariance = (1 - drawn) * covariance + drawn * np.trace(covariance) / WIDTH * np.eye(WIDTH)
    away = view - centres[label]
    return np.sqrt(away @ np.linalg.solve(covariance, away) / WIDTH)


def test_a_view_is_as_far_as_the_formula_says_and_the_median_word_is_at_1():
    familiar, (views, labels) = fitted(), known()
    asked = np.random.default_rng(1).standard_normal((7, WIDTH))
    expected = [[by_hand(view, label) for label in range(CLASSES)] for view in asked]
    np.testing.assert_allclose(familiar.distances(asked), expected, rtol=1e-9)
    familiar.settle(views[::2], labels[::2])
    median = np.median([by_hand(view, label) for view, label in zip(views[::2], labels[::2], strict=True)])
    np.testing.assert_allclose(familiar.distances(asked), np.array(expected) / median, rtol=1e-9)


def test_log_odds_fall_with_the_distance_beyond_1_alone():
    familiar = fitted()
    views = np.array([[0.1] * WIDTH, [4.0] * WIDTH, [30.0, -30, 30, -30, 30], [1e6] * WIDTH])
    likely = np.tile([0.6, 0.3, 0.1], (4, 1))
    rows = np.concatenate([likely, views], axis=1)
    np.testing.assert_array_equal(familiar.chances(rows), likely, err_msg="before anything is chosen")
    familiar.strictness.fill_(2.0)
    lower = familiar.chances(rows[:3])
    beyond = np.maximum(familiar.distances(views[:3]) - 1, 0)
    assert beyond[0, 0] == 0 == beyond[1, 1], "words of a class are familiar as what they are"
    assert beyond.max() > 3

    def log_odds(p):
        return np.log(p) - np.log1p(-p)

    np.testing.assert_allclose(log_odds(likely[:3]) - log_odds(lower), np.minimum(2 * beyond, 50), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("views", [np.zeros((0, WIDTH)), np.ones((4, WIDTH))])
def test_without_words_nothing_is_strange_and_equal_ones_are_no_trouble(views):
    familiar = Familiarity(CLASSES, WIDTH)
    familiar.fit(views, np.zeros(len(views), dtype=np.int64))
    familiar.settle(views, np.zeros(len(views), dtype=np.int64))
    familiar.strictness.fill_(4.0)
    row = np.concatenate([[0.5, 0.2, 0.1], np.ones(WIDTH)])[None]
    assert familiar.chances(row)[0, 0] == 0.5
    assert all(torch.isfinite(tensor).all() for tensor in familiar.state_dict().values())


def test_words_are_learnt_where_they_are_heard_as_what_they_are():
    rows = np.zeros((60, 2))
    rows[10:16, 0] = rows[30:36, 1] = rows[50:56, 1] = 0.9
    truths = [Truth(90, 140, 0), Truth(290, 340, 0), Truth(700, 750, 1)]
    means = smoothed(rows)
    assert [one.label for one in spotted(means, 0.3, (0, 1), 40)] == [0, 1, 1]
    windows, labels = words_heard(means, truths, (0, 1), 40)
    assert labels.tolist() == [0], "neither what was said otherwise nor what was not said"
    np.testing.assert_allclose(means[windows, 0], 0.9)
    assert [one.size for one in words_heard(np.zeros((60, 2)), truths, (0, 1), 40)] == [0, 0]
