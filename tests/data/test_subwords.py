"""Pieces of words give every text back."""

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gatework.data.subwords import END, Subwords

TEXTS = ["the dog sees the cat", "der Hund sieht die Katze", "the dogs", "die Hunde"] * 3
PIECES = Subwords.fit(TEXTS, 320)


@settings(max_examples=100)
@example("漢字 😀 <b>&amp;</b> </s> <pad>")
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_every_text_comes_back_whatever_its_script(text):
    import unicodedata

    numbers = PIECES.encode([text])[0]
    assert all(END < number < len(PIECES) for number in numbers)
    assert PIECES.decode([numbers])[0] == unicodedata.normalize("NFC", text).strip()


def test_frequent_words_are_few_pieces_and_rare_ones_more():
    dog, unknown = PIECES.encode(["dog", "xyzzy"])
    assert len(dog) < len(unknown) == 6


def test_pieces_go_through_json_and_stay_the_same():
    again = Subwords.from_state(json.loads(json.dumps(PIECES.state())))
    assert again.encode(TEXTS) == PIECES.encode(TEXTS)
    assert Subwords.fit(TEXTS, 320).state() == PIECES.state()


def test_pieces_are_put_together_to_words():
    numbers = PIECES.encode(["the xyz cat"])[0]
    words, places = PIECES.words(numbers)
    assert words == ["the", "xyz", "cat"]
    assert len(places) == len(numbers)
    assert sorted(places) == places


def test_merges_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        Subwords(["<pad>", "<s>", "</s>", "a"], [["a", "b"]])


def test_a_recut_writes_the_same_texts_in_more_pieces_and_draws_the_same_from_a_seed():
    subwords = Subwords.fit(["the dog sees the other dogs", "le chien voit les chiens"] * 5, 330)
    texts = ["the dogs see", "", "les chiens é 😀", "x"]
    rows = [np.array(row, dtype=np.int64) for row in subwords.encode(texts)]
    cuts = [subwords.recut(rows, 0.4, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert [cut.tolist() for cut in cuts[0]] == [cut.tolist() for cut in cuts[1]] != [cut.tolist() for cut in cuts[2]]
    assert subwords.decode(cuts[0]) == texts
    assert sum(map(len, cuts[0])) > sum(map(len, rows))
    assert [cut.tolist() for cut in subwords.recut(rows, 0.0, np.random.default_rng(0))] == [r.tolist() for r in rows]
    finest = subwords.recut(rows, 1.0, np.random.default_rng(0))
    assert [len(cut) for cut in finest] == [len(f" {text}".encode()) if text else 0 for text in texts]
    assert [subwords.recut([], 0.5, np.random.default_rng(0))] == [[]]
