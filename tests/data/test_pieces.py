import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatework.data.pieces import CharacterTokens, SubwordTokens, tokens_from_state
from gatework.tasks.generate.passages import Passages, cut
from support.texts import sentences

CHARACTERS = CharacterTokens.fit(["abcabc äöäö"], 100)
SUBWORDS = SubwordTokens.fit(sentences(50), 300)


@pytest.mark.parametrize("tokens", [CHARACTERS, SUBWORDS, CharacterTokens("")], ids=["char", "subword", "bytes"])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_every_text_of_every_script_comes_back_from_its_tokens(tokens, text):
    (encoded,) = tokens.encode([text])
    assert encoded.dtype == np.int32
    assert (encoded > 0).all()
    assert b"".join(tokens.pieces[token] for token in encoded).decode() == text


def test_what_occurs_once_is_read_as_bytes_and_the_most_frequent_come_first():
    assert CharacterTokens.fit(["aaabbbbc"], 10).characters == "ba"
    assert CharacterTokens.fit(["aaabbbbcc"], 2).characters == "ba"


@pytest.mark.parametrize("tokens", [CHARACTERS, SUBWORDS], ids=["char", "subword"])
def test_tokens_go_through_json(tokens):
    again = tokens_from_state(json.loads(json.dumps(tokens.state())))
    assert again == tokens
    assert len(again.pieces) == len(again) == len(tokens)


def test_a_lone_surrogate_is_read_as_a_question_mark():
    for tokens in (CHARACTERS, SUBWORDS, CharacterTokens("")):
        assert b"".join(tokens.pieces[token] for token in tokens.encode(["\ud800"])[0]) == b"?"


@given(st.text(max_size=300), st.integers(1, 50))
def test_passages_put_together_are_the_text(text, length):
    passages = cut(text, length)
    assert "".join(passages) == text
    assert all(0 < len(passage) <= length for passage in passages)


def test_a_passage_ends_with_a_line_or_before_a_space_where_it_can():
    assert cut("one two\nthree four", 12) == ["one two\n", "three four"]
    assert cut("one two three four", 10) == ["one two", " three", " four"]
    assert cut("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]


def test_only_the_passage_behind_another_of_the_same_document_goes_on():
    passages = Passages.of(["a" * 1500, "b"])
    assert passages.follows.tolist() == [False, True, False]
    assert passages.is_end.tolist() == [False, True, True]
    assert passages[np.array([1, 2])].follows.tolist() == [False, False]
