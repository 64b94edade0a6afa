"""One phrase of a list: what the network knows of its training texts does not decide between phrases."""

from __future__ import annotations

import numpy as np
import pytest

from gatework.decoding import SpokenLanguage, text_log_probabilities
from gatework.tasks.transcribe.letters import Alphabet
from gatework.tasks.transcribe.phrases import COUNT, Phrases, PhraseWeights, chosen_phrase_weights, with_less_blank

TEXTS = ["abd", "bad", "dab", "add"]
ALPHABET = Alphabet.of([*TEXTS, "c"])
LANGUAGE = SpokenLanguage.fit(TEXTS, ALPHABET.units)


def heard(text: str, instead: str = "", strength: float = 0.0) -> np.ndarray:
    """What a network says that hears each letter for a step, and would rather write another text."""
    logits = np.zeros((2 * len(text) + 1, len(ALPHABET)))
    logits[::2, 0] = 4
    for texts, height in ((text, 4.0), (instead, 4.0 + strength)):
        for k, letter in enumerate(ALPHABET.indices(texts)):
            logits[2 * k + 1, letter] = height
    return (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)


def test_a_score_is_the_texts_probability_less_that_of_its_letters_and_silence_is_no_text():
    phrases = ["", "abc", "abd"]
    letters = [ALPHABET.indices(one) for one in phrases]
    log_probs, weights = heard("abc"), PhraseWeights(0.7, prior=0.5)
    scores = Phrases(letters, LANGUAGE).scores(log_probs, weights)
    end = len(ALPHABET.units)
    spelt = [LANGUAGE.letters.log_probabilities([*(one - 1), end]).sum() for one in letters]
    expected = 0.7 * (text_log_probabilities(log_probs, letters) - 0.5 * np.array([0.0, *spelt[1:]]))
    np.testing.assert_allclose(scores, expected, rtol=1e-6)
    assert len(weights.state()) == COUNT
    assert PhraseWeights(*weights.state()) == weights


def chosen_for(recordings, references) -> PhraseWeights:
    return chosen_phrase_weights(ALPHABET, LANGUAGE, TEXTS, recordings, references)


def said(log_probs: np.ndarray, weights: PhraseWeights) -> str:
    phrases = ["", "abc", "bac", "bc", "ac", *TEXTS]
    scores = Phrases([ALPHABET.indices(one) for one in phrases], LANGUAGE).scores(log_probs, weights)
    return phrases[int(scores.argmax())]


@pytest.mark.parametrize("text", ["abc", "bac"])
def test_a_phrase_that_was_never_learnt_is_told_from_one_that_is_known_by_heart(text):
    known = text[:2] + "d"
    log_probs = heard(text, known, strength=0.5)
    assert said(log_probs, PhraseWeights()) == known
    weights = chosen_for(
        [heard("bac", "bad", 0.5), heard("abc", "abd", 0.5), *map(heard, TEXTS)], ["bac", "abc", *TEXTS]
    )
    assert weights.prior > 0
    assert said(log_probs, weights) == text
    assert [said(heard(one), weights) for one in TEXTS] == TEXTS
    assert said(heard("abd")[::2], weights) == "", "silence stays silence"


def test_letters_that_a_network_hardly_dares_to_write_are_heard():
    log_probs = heard("bc")
    shy = with_less_blank(log_probs, -4.5)
    assert (said(log_probs, PhraseWeights()), said(shy, PhraseWeights())) == ("bc", "")
    assert said(shy, PhraseWeights(blank=4.5)) == "bc"
    np.testing.assert_allclose(with_less_blank(shy, 4.5), log_probs, atol=2e-6)


def test_one_who_is_surer_than_right_is_made_less_sure():
    # Half of the recordings are heard as another text, and clearly.
    recordings = [
        *map(heard, ["abd", "bad", "dab"]),
        *(heard(one, two, 3.0) for one, two in (("add", "bad"), ("abd", "dab"))),
    ]
    references = ["abd", "bad", "dab", "add", "abd"]
    assert chosen_for(recordings, references).sharpness < 1 == chosen_for(recordings[:3], references[:3]).sharpness
