"""Reading CTC: the search against every text there is, one by one, with and without a language."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

import gatework as gw
from gatework.decoding import LetterModel, Writer
from gatework.decoding.ctc import CtcReader, LanguageWeights, SpokenLanguage, letter_log_probabilities
from gatework.decoding.ctc_paths import text_log_probability
from gatework.decoding.ngrams import NGramModel
from gatework.errors import UsageError

ALPHABET = " ab"
WIDE = 10_000


def network(steps: int, seed: int, letters: int = 3, sharpness: float = 1.0) -> np.ndarray:
    scores = np.random.default_rng(seed).normal(size=(steps, letters + 1)) * sharpness
    return (scores - np.log(np.exp(scores).sum(1, keepdims=True))).astype(np.float32)


def all_texts(steps: int) -> list[str]:
    """Every text of up to so many letters with single spaces between words and none at its start."""
    texts = ("".join(t) for length in range(steps + 1) for t in itertools.product(ALPHABET, repeat=length))
    return [text for text in texts if "  " not in text and not text.startswith(" ")]


def indices(text: str) -> list[int]:
    return [ALPHABET.index(letter) + 1 for letter in text]


def said_by(model: SpokenLanguage, text: str, weights: LanguageWeights, is_closed: bool) -> float:
    """What the language says of a whole text, word by word from its definition."""
    words = text.split()
    known = {word: k for k, word in enumerate(model.lexicon)}
    if is_closed and not set(words) <= set(known):
        return -math.inf
    if not words:
        return 0.0
    unknown, total = len(known), 0.0
    state, spelling = model.words.begin, model.letters.begin
    for place, word in enumerate(words):
        is_last = place == len(words) - 1 and not text.endswith(" ")
        ending = len(ALPHABET) if is_last else ALPHABET.index(" ")
        spelt = 0.0
        for token in [*(ALPHABET.index(letter) for letter in word), ending]:
            score, spelling = model.letters.advance(spelling, token)
            spelt += score
        score, state = model.words.advance(state, known.get(word, unknown))
        total += weights.language * (score + (0.0 if word in known else spelt)) + weights.word
    return total + weights.language * model.words.advance(state, unknown + 1)[0]


@pytest.mark.parametrize("seed", range(4))
def test_a_search_that_keeps_everything_agrees_with_trying_every_text(seed):
    log_probs = network(5, seed)
    scores = {text: text_log_probability(log_probs, indices(text)) for text in all_texts(5)}
    reader = CtcReader(ALPHABET, beam=WIDE)
    search = reader.search()
    search.feed(log_probs)
    assert reader.text(search.finish()) == max(scores, key=scores.__getitem__).rstrip()
    assert search.score() == pytest.approx(max(scores.values()), abs=1e-5)


@pytest.mark.parametrize("is_closed", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_with_a_language_it_agrees_as_well(seed, is_closed):
    log_probs, weights = network(5, seed), LanguageWeights(0.8, 0.5)
    model = SpokenLanguage.fit(["ab a", "ab ab", "a"], ALPHABET, ["bb"])
    scores = {
        text: text_log_probability(log_probs, indices(text)) + said_by(model, text, weights, is_closed)
        for text in all_texts(5)
    }
    reader = CtcReader(ALPHABET, model, weights, is_closed=is_closed, beam=WIDE)
    search = reader.search()
    search.feed(log_probs)
    assert search.score() == pytest.approx(max(scores.values()), abs=1e-5)
    assert reader.text(search.finish()) == max(scores, key=scores.__getitem__).rstrip()


def test_new_words_of_a_list_are_read_as_often_as_words_that_were_read_once():
    """Of "bb a ab aa" three words were read once: so a new one counts three, and each of seven not even half."""
    texts, lists = ["bb a ab aa", "bb bb"], (["ba"], [], ["b" * k for k in range(3, 10)])
    few, none, many = (SpokenLanguage.fit(texts, ALPHABET, new) for new in lists)
    index = {letter: k for k, letter in enumerate(ALPHABET)}

    def begins(model: SpokenLanguage, text: str) -> float:
        return float(np.exp(model.letters.log_probabilities([index[letter] for letter in text]).sum()))

    place = {word: k for k, word in enumerate(few.lexicon)}
    said = [[place[word] for word in text.split()] + [len(place) + 1] for text in texts]
    alone = NGramModel.fit([*said, *[[place["ba"]]] * 3], 3, len(place) + 2)
    assert few.words.arrays()["log_probability"].tolist() == alone.arrays()["log_probability"].tolist()
    assert begins(few, "ba") > 2 * begins(none, "ba")
    assert begins(many, "bbb") == begins(none, "bbb")


@pytest.mark.parametrize("is_recurrent", [False, True])
@pytest.mark.parametrize("chunk", [1, 3, 50])
def test_what_is_settled_early_is_what_the_whole_says(chunk, is_recurrent):
    log_probs = network(900, 3, sharpness=4.0)
    model = SpokenLanguage.fit(["ab a", "ab ab", "a"], ALPHABET)
    weights, recurrent = LanguageWeights(0.5, 0.5, recurrent=0.2 * is_recurrent), recurrent_model(0)[0]
    reader = CtcReader(ALPHABET, model, weights, beam=8, recurrent=recurrent)
    whole = reader.read(log_probs)
    search, parts, waiting = reader.search(), [], []
    for start in range(0, len(log_probs), chunk):
        search.feed(log_probs[start : start + chunk])
        parts += search.settled()
        waiting.append(len(search.open()))
    assert parts + search.finish() == whole
    assert max(waiting) < len(whole) / 4, "most is settled while the search goes on"


@pytest.mark.parametrize("is_recurrent", [False, True])
def test_what_the_beams_never_agree_on_is_settled_once_it_is_long_past(is_recurrent):
    # An "a" or a "b", and then an "a" at every second step: nothing ever tells which it was.
    log_probs = np.log(np.full((4000, 4), 0.02, np.float32))
    log_probs[::2, 2], log_probs[1::2, 0] = math.log(0.94), math.log(0.94)
    log_probs[0] = np.log(np.array([0.02, 0.02, 0.48, 0.48], np.float32))
    weights, recurrent = LanguageWeights(recurrent=0.2 * is_recurrent), recurrent_model(0)[0]
    reader = CtcReader(ALPHABET, None, weights, beam=8, recurrent=recurrent)
    whole, search, parts, kept = reader.read(log_probs), reader.search(), [], []
    for step in range(len(log_probs)):
        search.feed(log_probs[step : step + 1])
        parts += search.settled()
        kept.append((search.beginnings, len(search.open())))
    assert parts + search.finish() == whole
    assert len(whole) > 1500
    for most_early, most_late in zip(np.max(kept[:1000], 0), np.max(kept[1000:], 0), strict=True):
        assert most_late <= 1.1 * most_early


def test_a_wide_beam_in_dense_noise_keeps_few_beginnings_however_the_sound_is_cut():
    # A step of a wide beam makes as many beginnings as there are prefixes and letters together.
    alphabet, random = list(" abcdefghijklmnopqrstuvwxyz"), np.random.default_rng(0)
    scores = random.normal(size=(200, len(alphabet) + 1)).astype(np.float32)
    log_probs = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    reader = CtcReader(alphabet, SpokenLanguage.fit(["ab cd", "ef"], alphabet), LanguageWeights(0.5), beam=256)
    search, parts, kept = reader.search(), [], []
    for step in range(len(log_probs)):
        search.feed(log_probs[step : step + 1])
        parts += search.settled()
        kept.append(search.beginnings)
    assert parts + search.finish() == reader.read(log_probs)
    assert max(kept) < 60_000


@pytest.mark.parametrize(("steps", "hidden", "letters"), [(1, 5, 3), (3, 16, 29), (2, 37, 1)])
def test_log_probabilities_of_letters_are_those_of_a_linear_layer(steps, hidden, letters):
    random = np.random.default_rng(0)
    h, weight, bias = (random.normal(size=size) for size in ((steps, hidden), (letters, hidden), letters))
    exact = torch.from_numpy(h @ weight.T + bias).log_softmax(-1).numpy()
    mine = letter_log_probabilities(*(a.astype(np.float32) for a in (h, weight, bias)))
    rounding = np.finfo(np.float32).eps * (hidden + 8) * (np.abs(h) @ np.abs(weight).T + np.abs(bias)).max()
    np.testing.assert_allclose(mine, exact, rtol=0, atol=rounding)


def test_a_boosted_phrase_is_written_where_it_is_nearly_as_likely():
    log_probs = np.log(np.full((7, 4), 0.02, np.float32))
    for step, (letter, share) in enumerate([(2, 0.9), (0, 0.9), (3, 0.5), (0, 0.9), (1, 0.9), (2, 0.9), (0, 0.9)]):
        log_probs[step, letter] = math.log(share)
    log_probs[2, 2] = math.log(0.45)
    plain, boosted = CtcReader(ALPHABET), CtcReader(ALPHABET, boosted=["aa a"])
    assert plain.text(plain.read(log_probs)) == "ab a"
    assert boosted.text(boosted.read(log_probs)) == "aa a"


def test_a_letter_stands_at_the_step_where_it_was_likeliest():
    log_probs = np.log(np.full((6, 4), 0.01, np.float32))
    for step, letter, share in [(0, 0, 0.97), (1, 2, 0.6), (2, 2, 0.97), (3, 0, 0.97), (4, 3, 0.9), (5, 0, 0.97)]:
        log_probs[step, letter] = math.log(share)
    log_probs[1, 0] = math.log(0.38)
    letters = CtcReader(ALPHABET).read(log_probs)
    assert [(one.letter, one.step) for one in letters] == [(2, 2), (3, 4)]
    assert letters[0].log_probability == pytest.approx(math.log(0.97), abs=1e-6)


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="beam is 0"):
        CtcReader(ALPHABET, beam=0)
    with pytest.raises(UsageError, match="closed lexicon needs words"):
        CtcReader(ALPHABET, is_closed=True)
    with pytest.raises(UsageError, match=r"expected \(steps, 4\)"):
        CtcReader(ALPHABET).read(np.zeros((3, 9), np.float32))


VOCABULARY, END = 7, 0
TOKENS = [5, 1, 3]  # of the space, of a and of b


def recurrent_model(seed: int) -> tuple[LetterModel, Callable[[str], float]]:
    """A small model with tokens that are no letters, two of which end a text, and what it says of a text in float64."""
    torch.manual_seed(seed)
    layer, embedding = gw.nn.LSTM(4, 6, num_layers=2), 2 * torch.randn(VOCABULARY, 4)
    output, bias = 2 * torch.randn(VOCABULARY, 6), torch.randn(VOCABULARY)
    model = LetterModel(Writer(layer, embedding, output=output, output_bias=bias), TOKENS, [END, 6], [END, 6])
    exact = copy.deepcopy(layer).double()

    def said(text: str) -> float:
        tokens = [END, 6, *(TOKENS[ALPHABET.index(letter)] for letter in text)]
        with torch.no_grad():
            states, _ = exact(embedding[tokens].double()[:, None])
        logits = states[1:, 0] @ output.double().T + bias.double()
        ends = logits[:, [END, 6]].logsumexp(1, keepdim=True)
        log_probs = torch.cat([ends, logits[:, TOKENS]], 1).log_softmax(1)
        return float(sum(log_probs[k, letter] for k, letter in enumerate([*indices(text), 0])))

    return model, said


@pytest.mark.parametrize("is_counted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_a_recurrent_model_counts_as_in_trying_every_text_in_double_precision(seed, is_counted):
    log_probs, weights = network(5, seed), LanguageWeights(0.8, 0.5, recurrent=0.7, blank=0.6)
    counted = SpokenLanguage.fit(["ab a", "ab ab", "a"], ALPHABET, ["bb"]) if is_counted else None
    model, said = recurrent_model(seed)
    lowered = log_probs - np.array([0.6, 0, 0, 0], np.float32)  # of the blank
    scores = {
        text: text_log_probability(lowered, indices(text))
        + weights.recurrent * said(text)
        + (said_by(counted, text, weights, False) if counted else weights.word * len(text.split()))
        for text in all_texts(5)
    }
    reader = CtcReader(ALPHABET, counted, weights, beam=WIDE, recurrent=model)
    for _ in range(2):  # a second search begins anew
        search = reader.search()
        search.feed(log_probs)
        assert search.score() == pytest.approx(max(scores.values()), abs=1e-5)
        assert reader.text(search.finish()) == max(scores, key=scores.__getitem__).rstrip()


def test_tokens_and_letters_that_do_not_fit_are_refused():
    model, _ = recurrent_model(0)
    with pytest.raises(UsageError, match="has 3 letters, expected 4"):
        CtcReader("abcd", recurrent=model)
    loop = Writer(gw.nn.LSTM(4, 6), torch.zeros(VOCABULARY, 4), output=torch.zeros(VOCABULARY, 6))
    for letters, ends, problem in (([7], [0], "token 7, expected 0 to 6"), ([1], [], "a token that ends a text")):
        with pytest.raises(UsageError, match=problem):
            LetterModel(loop, letters, ends, [0])
