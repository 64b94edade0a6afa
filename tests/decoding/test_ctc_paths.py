"""The ways to write a known text: their probability against torch's, the likeliest against all of them, one by one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from gatework.decoding.ctc_paths import heard_letters, text_log_probabilities, text_log_probability
from gatework.errors import UsageError


def network(steps: int, seed: int, letters: int = 3, sharpness: float = 1.0) -> np.ndarray:
    scores = np.random.default_rng(seed).normal(size=(steps, letters + 1)) * sharpness
    return torch.from_numpy(scores).log_softmax(1).float().numpy()


def of_torch(log_probs: np.ndarray, text: list[int]) -> float:
    exact = torch.from_numpy(log_probs).double()[:, None]
    sizes = torch.tensor([len(log_probs)]), torch.tensor([len(text)])
    return -float(torch.nn.functional.ctc_loss(exact, torch.tensor([text]), *sizes, reduction="sum"))


# Of 900 sharp steps every text is below e^-400, so that it is by logarithms; of 12 flat ones it is not.
@pytest.mark.parametrize(("steps", "sharpness"), [(12, 1.0), (900, 4.0)])
def test_the_probabilities_of_texts_are_torchs_in_double_precision(steps, sharpness):
    log_probs, texts = network(steps, 7, sharpness=sharpness), [[2, 2, 1, 3], [1], [3, 1, 2]]
    expected = [of_torch(log_probs, text) for text in texts]
    assert (max(expected) < -400) == (steps == 900)
    assert text_log_probabilities(log_probs, texts) == pytest.approx(expected, rel=1e-11)


def test_texts_without_room_or_hope_have_no_probability():
    log_probs = network(12, 7)
    assert text_log_probability(log_probs[:4], [2, 2, 1, 3]) == -math.inf, "equal neighbours need a blank between"
    assert text_log_probabilities(log_probs[:0], [[], [1]]).tolist() == [0, -math.inf]
    sure = np.full((200, 3), -30.0, np.float32)
    sure[:, 0] = 0
    sure[::10, 0], sure[::10, 1] = -30, 0
    said = [1] * 20
    assert text_log_probabilities(sure, [said, [2] * 20]).tolist() == [pytest.approx(0, abs=1e-6), -math.inf]


@pytest.mark.parametrize("seed", range(3))
def test_letters_are_heard_where_the_likeliest_of_all_ways_has_them(seed):
    log_probs, text = network(6, seed), [2, 2, 1]

    def written(path: tuple[int, ...]) -> list[int]:
        return [letter for letter, _ in itertools.groupby(path) if letter]

    ways = (path for path in itertools.product(range(4), repeat=6) if written(path) == text)
    best = max(ways, key=lambda path: sum(log_probs[t, k] for t, k in enumerate(path)))
    heard = heard_letters(log_probs, text)
    path = [0] * 6
    for one in heard:
        path[one.first : one.last + 1] = [one.letter] * (one.last + 1 - one.first)
        assert one.log_probability == log_probs[one.first : one.last + 1, one.letter].max()
    assert tuple(path) == best
    assert [one.letter for one in heard] == text


def test_what_cannot_be_written_is_said_in_a_sentence():
    assert heard_letters(network(3, 0), []) == []
    with pytest.raises(UsageError, match="a text of 2 letters needs more than 2 steps"):
        heard_letters(network(2, 0), [1, 1])
    with pytest.raises(UsageError, match="letters outside of 1 to 3"):
        text_log_probability(network(3, 0), [4])
