import itertools
from collections import Counter

import numpy as np
import pytest

from gatework.data.text import TextEncoder, Texts, Vocabulary
from gatework.options import DataOptions

WORDS = ("not", "good", "bad", "film", "日", "never", "")
SEEN = np.random.default_rng(0)
TRAIN = [" ".join(SEEN.choice(WORDS[:-1], SEEN.integers(0, 9))) + " rare" * (k < 6) for k in range(100)]


def encoder(pairs: int, **changes: int) -> TextEncoder:
    return TextEncoder.fit(Texts.of(TRAIN), DataOptions(pairs=pairs, vocabulary=6, **changes))


def read_by_hand(vocabulary: Vocabulary, words: list[str]) -> list[str]:
    """What each step of a text stands for, word by word."""
    known = set(vocabulary.pairs)
    pairs = [f"{a} {b}" for a, b in zip([""] + words, words, strict=False)]
    return [p if p in known else w if w in vocabulary.words else "?" for p, w in zip(pairs, words, strict=True)]


@pytest.mark.parametrize("most", [0, 3])
def test_pairs_are_those_that_most_texts_have_and_five_at_least(most):
    counts = Counter[str]()
    for text in TRAIN:
        words = text.split()[-most:]
        counts.update({f"{a} {b}" for a, b in itertools.pairwise(words) if {a, b} <= {*WORDS}})
    many = [count for count in counts.values() if count >= 5]
    assert 4 < len(many) <= len(counts)

    everything = encoder(1000, max_tokens=most).vocabulary.pairs
    assert {pair for pair, count in counts.items() if count >= 5} == {*everything}
    few = encoder(4, max_tokens=most).vocabulary.pairs
    assert sorted(counts[pair] for pair in few) == sorted(many)[-4:]


@pytest.mark.parametrize("texts", [["not good", "", "bad unseen film good", "not"], TRAIN * 2])
@pytest.mark.parametrize("most", [0, 4])
def test_a_step_reads_the_pair_that_ends_there_or_else_the_word(texts, most):
    whole = encoder(12, max_tokens=most)
    assert len(whole.vocabulary.pairs) == 12
    names = ("", "?", *whole.vocabulary.words, *whole.vocabulary.pairs)
    lengths, indices = whole.vocabulary.encoded(Texts.of(texts), most)
    assert len(names) == len(whole.vocabulary)
    starts = np.cumsum(lengths) - lengths
    for text, start, length in zip(texts, starts, lengths, strict=True):
        found = [names[index] for index in indices[start : start + length]]
        assert found == read_by_hand(whole.vocabulary, text.split()[-most:])


def test_an_encoder_is_the_same_from_its_state_and_pairs_of_no_words_are_refused():
    whole = encoder(12)
    again = TextEncoder.from_state(whole.state())
    assert again == whole
    assert np.array_equal(again.pairs.codes, whole.pairs.codes)
    assert encoder(0).pairs is None
    assert "pairs" not in encoder(0).state()
    for pairs in (["not"], ["not  good"], ["not unseen"], whole.state()["pairs"][::-1]):
        with pytest.raises(ValueError, match="pair"):
            TextEncoder.from_state(whole.state() | {"pairs": pairs})
