"""How sure a word is: what is fitted to words that were right or wrong agrees with how often they are right."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from gatework.decoding import LanguageWeights, SpokenLanguage, WrittenLetter
from gatework.decoding.ctc import BEAM
from gatework.tasks._voice import Loudness
from gatework.tasks.transcribe.confidence import COUNT, Confidence
from gatework.tasks.transcribe.letters import Alphabet
from gatework.tasks.transcribe.phrases import PhraseWeights
from gatework.tasks.transcribe.transcriber import AskedTranscript, Transcriber
from gatework.tasks.transcribe.tuning import Chosen, chosen


def judged(count: int, seed: int):
    """Words of three letters, those of the lexicon right more often; a network surer than it is right."""
    random = np.random.default_rng(seed)
    words = np.log(random.uniform(0.3, 1.0, (count, 3)))
    is_known = random.random(count) < 0.5
    share = 1 / (1 + np.exp(-(4 * words.mean(1) + 2 * words.min(1) + 1.5 * is_known + 2)))
    return words.tolist(), is_known.tolist(), (random.random(count) < share).tolist()


def test_the_confidence_of_words_is_the_share_of_them_that_are_right():
    fitted = Confidence.fit(*judged(4000, 0))
    words, is_known, is_right = judged(4000, 1)
    sure = np.array([fitted.of(*word) for word in zip(words, is_known, strict=True)])
    right = np.array(is_right)
    for part in np.array_split(np.argsort(sure), 8):
        # Of 500 words the share that is right is off by 0.022 as a standard deviation at most.
        assert sure[part].mean() == pytest.approx(right[part].mean(), abs=4 * 0.0224)
    is_unsure = sure < fitted.least_sure
    assert right[is_unsure].mean() < 0.5 < right[~is_unsure].mean()
    assert 0.4 < fitted.least_sure < 0.6, "where right and wrong are as likely"
    again = Confidence.from_state(fitted.state())
    assert again == fitted
    assert len(fitted.state()) == COUNT


def test_where_nearly_all_words_are_right_it_is_the_letters_mean_probability():
    fitted = Confidence.fit([[-0.1, -0.3]] * 50, [True] * 50, [True] * 50)
    assert fitted.of([-0.1, -0.3], True) == pytest.approx(math.exp(-0.2))
    assert fitted.least_sure == 0


def test_a_word_below_the_threshold_is_marked_where_that_is_asked_for():
    alphabet = Alphabet.of(["ab a"])
    letters = [WrittenLetter(2, 0, -0.1), WrittenLetter(3, 1, -0.1), WrittenLetter(1, 2, 0), WrittenLetter(2, 3, -2.0)]
    chosen = Chosen(
        LanguageWeights(), LanguageWeights(0.5, 1.0), PhraseWeights(0.5, 0.2, 1.0), Confidence(least_sure=0.5)
    )
    language = SpokenLanguage.fit(["ab a"], alphabet.units)
    for is_marking, expected in [(False, ["ab", "a"]), (True, ["ab", "(unsure)"])]:
        reader = Transcriber(alphabet, language, chosen, AskedTranscript(is_marking=is_marking), 3, BEAM)
        assert [word.word for word in reader.words_of(letters, Loudness())] == expected
    assert Chosen.from_state(chosen.state()) == chosen


def test_a_closed_list_of_words_is_weighed_by_itself():
    """A word that the training texts lack is written either way; what counts in a list does not count without one."""
    alphabet, texts, said = Alphabet.of(["ab", "a"]), ["a"] * 5, ["ab"] * 3
    heard = [np.log(np.array([[0.1, 0.8, 0.1], [0.52, 0.06, 0.42]], np.float32))] * 3
    language, complete = (SpokenLanguage.fit(texts, alphabet.units, words) for words in ([], ["ab"]))
    weights = chosen(alphabet, language, complete, texts, heard, said)
    for is_closed, known in [(False, language), (True, complete)]:
        reader = Transcriber(alphabet, known, weights, AskedTranscript(is_closed=is_closed), 3, BEAM).reader
        assert reader.text(reader.read(heard[0])) == "ab"
    for is_closed, expected in [(False, "ab"), (True, "")]:
        apart = replace(weights, closed=LanguageWeights(word=-9.0))
        reader = Transcriber(alphabet, complete, apart, AskedTranscript(is_closed=is_closed), 3, BEAM).reader
        assert reader.text(reader.read(heard[0])) == expected


def test_words_in_a_noise_as_loud_as_they_are_stay_where_held_back_recordings_have_such_words():
    """The network reads all of them; the loudness moves by 1.0, as in a noise, where 1.5 is asked of clean speech."""
    alphabet = Alphabet.of(["ab"])
    log_probs = np.log(np.array([[0.98, 0.01, 0.01], [0.01, 0.98, 0.01], [0.01, 0.01, 0.98]], np.float32))
    frames = np.array([[2.0], [3.0], [2.5]], np.float32)
    language = SpokenLanguage.fit(["ab"], alphabet.units)
    for loudness, expected in [(frames[:, 0], ["ab"]), (4 * frames[:, 0], [])]:
        best = chosen(alphabet, language, language, ["ab"], [log_probs], ["ab"], loudness=[loudness.tolist()])
        reader = Transcriber(alphabet, language, Chosen.from_state(best.state()), AskedTranscript(), 1, BEAM)
        assert [word.word for word in reader.words(log_probs, frames)] == expected
