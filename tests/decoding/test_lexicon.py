"""IBM model 1 against plain loops."""

from collections import defaultdict

import pytest

from gatework.decoding.lexicon import Lexicon, joined, words_of

SOURCES = ["das Haus", "das Buch", "ein Buch", "das das Haus", ""]
TARGETS = ["the house", "the book", "a book", "the house", "empty"]


def plain(rounds: int) -> dict[tuple[str, str], float]:
    pairs = [(["", *words_of(s)], words_of(t)) for s, t in zip(SOURCES, TARGETS, strict=True)]
    chances: dict[tuple[str, str], float] = defaultdict(lambda: 1.0)
    for _ in range(rounds):
        counts, totals = defaultdict(float), defaultdict(float)
        for source, target in pairs:
            for f in target:
                norm = sum(chances[e, f] for e in source)
                for e in source:
                    counts[e, f] += chances[e, f] / norm
                    totals[e] += chances[e, f] / norm
        chances = defaultdict(float, {(e, f): count / totals[e] for (e, f), count in counts.items()})
    return dict(chances)


@pytest.mark.parametrize("rounds", [1, 2, 7])
def test_the_lexicon_is_that_of_plain_loops(rounds):
    lexicon = Lexicon.learnt(SOURCES, TARGETS, rounds)
    expected = plain(rounds)
    found = {
        (lexicon.sources[e], lexicon.targets[f]): p
        for (e, f), p in zip(lexicon.pairs.tolist(), lexicon.probabilities.tolist(), strict=True)
    }
    assert found.keys() == expected.keys()
    assert found == pytest.approx(expected, abs=1e-12)
    assert lexicon.probability("Buch", "book") == pytest.approx(expected["Buch", "book"])
    assert lexicon.probability("Buch", "nowhere") == lexicon.probability("nowhere", "book") == 0.0


def test_words_are_translated_one_by_one_and_unknown_ones_stay():
    lexicon = Lexicon.learnt(SOURCES * 3, TARGETS * 3)
    assert lexicon.translated("ein Haus, Xenia!")[0] == "a house, Xenia!"
    # A word that is known in small letters alone, as at the beginning of a sentence.
    assert lexicon.translated("Ein Buch")[0] == "a book"
    assert lexicon.translated("")[0] == ""


def test_an_alignment_shares_each_target_word_among_the_source():
    lexicon = Lexicon.learnt(SOURCES * 3, TARGETS * 3, 20)
    rows = lexicon.alignment(["das", "Buch"], ["the", "book", "zzz"])
    assert rows[0][0] > rows[0][1]
    assert rows[1][1] > rows[1][0]
    assert rows[2] == [0.0, 0.0]
    assert all(sum(row) <= 1 + 1e-12 for row in rows)


def test_no_pairs_give_a_lexicon_that_copies():
    assert Lexicon.learnt([], []).translated("a b")[0] == "a b"


@pytest.mark.parametrize("text", ["Well, yes.", "«Non», dit-il (hier)!", "don't stop: go", "¿Qué?"])
def test_joined_words_read_as_the_sentence(text):
    assert joined(words_of(text)).replace(" ", "") == text.replace(" ", "")
