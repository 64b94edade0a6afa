import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatework.data.tokens import spans, tokenise


def words(text: str) -> list[str]:
    return tokenise(pl.Series([text])).words(0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t.,;:", []),
        ("Don’t STOP, it's great!", ["don't", "stop", "it's", "great", "!"]),
        ("'quoted' rock'n'roll", ["quoted", "rock'n'roll"]),
        ("3.14 is 2nd", ["3", "14", "is", "2nd"]),
        ("日本語とカナ", ["日", "本", "語", "と", "カ", "ナ"]),
        ("iPhoneを買う", ["iphone", "を", "買", "う"]),
        ("สวัสดี", ["ส", "วั", "ส", "ดี"]),
        ("Привет, мир?", ["привет", "мир", "?"]),
        ("안녕하세요 세계", ["안녕하세요", "세계"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("good👍🏽👨‍👩‍👧🇩🇪❤️", ["good", "👍🏽", "👨‍👩‍👧", "🇩🇪", "❤️"]),
        ("cafe\u0301", ["café"]),
    ],
)
def test_text_is_cut_as_a_reader_of_its_script_expects(text, expected):
    assert words(text) == expected


@settings(max_examples=300)
@given(st.text())
def test_tokens_of_tokens_are_the_same_tokens(text):
    once = words(text)
    assert words(" ".join(once)) == once
    assert all(once)
    assert not any(char.isspace() for word in once for char in word)


@settings(max_examples=100)
@given(st.lists(st.text(), max_size=6))
def test_many_texts_are_cut_as_each_one_alone(texts):
    tokens = tokenise(pl.Series(texts, dtype=pl.String))
    assert [tokens.words(position) for position in range(len(texts))] == [words(text) for text in texts]
    assert tokens.types.to_list() == sorted(set(tokens.types))
    assert tokens.lengths.sum() == len(tokens.ids)
    assert tokens.counts().sum() == len(tokens.ids)
    assert tokens.counts().min(initial=1) >= 1


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), max_size=8))
def test_spans_are_the_ranges_one_after_the_other(pairs):
    expected = [position for start, length in pairs for position in range(start, start + length)]
    starts, lengths = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    assert spans(starts, lengths).tolist() == expected


def test_taking_and_shortening_share_the_ids():
    tokens = tokenise(pl.Series(["a b c", "", "d e"]))
    taken = tokens.take(np.array([2, 0]))
    assert [taken.words(i) for i in range(2)] == [["d", "e"], ["a", "b", "c"]]
    shortened = taken.last(2)
    assert [shortened.words(i) for i in range(2)] == [["d", "e"], ["b", "c"]]
    assert shortened.ids is tokens.ids
    assert tokens.last(0) is tokens


@settings(max_examples=200)
@given(st.lists(st.text(alphabet=st.characters(max_codepoint=127)), min_size=1, max_size=5))
def test_a_few_plain_texts_are_cut_as_many_are(texts):
    """A few texts of ASCII take a shorter way than the engine's, which one of another script makes all of them take."""
    few, many = tokenise(pl.Series(texts)), tokenise(pl.Series([*texts, "é"]))
    assert [few.words(k) for k in range(len(texts))] == [many.words(k) for k in range(len(texts))]
    assert few.types.to_list() == [word for word in many.types if word != "é"]
