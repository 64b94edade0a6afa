import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gatework.tasks.generate.novelty import Learnt, marked

WORDS = st.text("ab \n", max_size=60)


@given(WORDS, WORDS, st.integers(1, 9))
def test_a_run_is_known_where_it_stands_in_the_text(text, other, length):
    (known,) = Learnt(text).is_known([other], length)
    assert known.tolist() == [other[k : k + length] in text for k in range(max(len(other) - length + 1, 0))]


@given(WORDS, WORDS)
def test_the_longest_copy_is_the_longest_common_run(text, other):
    runs = [other[a:b] for a in range(len(other)) for b in range(a + 1, len(other) + 1) if other[a:b] in text]
    longest = Learnt(text).novelty([other]).longest
    assert len(longest) == max(map(len, runs), default=0)
    assert longest in text
    assert longest in other


def test_shares_are_of_the_runs_that_are_new():
    novelty = Learnt("abcdefghijklmnop").novelty(["abcdefghZ"])
    assert novelty.shares[0] == 0.5
    assert np.isnan(novelty.shares[2])


def test_pieces_are_the_text_and_mark_what_stands_elsewhere():
    text = "xxabcdefghyy"
    (known,) = Learnt("abcdefgh").is_known([text], 4)
    assert marked(text, known, 4) == [("xx", False), ("abcdefgh", True), ("yy", False)]
    assert marked("", np.zeros(0, bool), 4) == []
