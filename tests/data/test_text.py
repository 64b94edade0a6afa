import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatework.data.dataset import Split
from gatework.data.text import PADDING, UNKNOWN, TextEncoder, TextExamples, Texts, Vocabulary
from gatework.options import DataOptions


def examples(texts, vocabulary, **options):
    targets = np.arange(len(texts))
    return TextExamples(Split(Texts.of(texts), targets), targets, vocabulary, **options)


def test_the_vocabulary_holds_the_most_frequent_words_and_breaks_ties_by_code_point():
    assert Vocabulary.fit(Texts.of(["b b c a", "a d"]), 3).words == ("a", "b", "c")


def test_a_larger_vocabulary_begins_with_the_smaller_one():
    texts = Texts.of(["one two two three three three", "four four"])
    assert Vocabulary.fit(texts, 4).words[:2] == Vocabulary.fit(texts, 2).words


def test_words_of_other_parts_change_neither_the_words_nor_their_order():
    train = ["b a a z", "c b"]
    alone = Vocabulary.fit(Texts.of(train), 10)
    for others in (["a b c d e f g"], ["z z z z"], ["\u0000 !", "ÿ"]):
        together = Texts.of(others + train)
        _ = together.tokens
        position = np.arange(len(others), len(together))
        assert Vocabulary.fit(together[position], 10) == alone


def test_the_length_of_a_vocabulary_is_the_rows_of_its_embedding():
    vocabulary = Vocabulary(("a", "b"))
    assert vocabulary.indices(["a", "b", "c"]).tolist() == [2, 3, UNKNOWN]
    assert len(vocabulary) == 4


def test_masked_padding_follows_the_text_and_the_last_tokens_are_kept():
    batch = examples(["a b c", "", "b"], Vocabulary(("a", "b", "c")), max_tokens=2).batch(np.array([0, 1, 2]))
    assert batch.inputs.tolist() == [[3, 4], [UNKNOWN, PADDING], [3, PADDING]]
    assert batch.lengths.tolist() == [2, 1, 1]
    assert batch.targets.tolist() == [0, 1, 2]
    assert batch.inputs.dtype == batch.lengths.dtype == batch.targets.dtype == torch.int64


def test_a_batch_is_as_long_as_its_own_longest_text():
    assert examples(["a b c", "a"], Vocabulary(("a",))).batch(np.array([1])).inputs.shape == (1, 1)


def test_padding_in_front_fills_up_to_the_most_tokens_and_counts_as_steps():
    encoded = examples(["a b c", "", "b"], Vocabulary(("a", "b", "c")), max_tokens=4, padding="pre")
    batch = encoded.batch(np.array([2, 0, 1]))
    assert batch.inputs.tolist() == [[0, 0, 0, 3], [0, 2, 3, 4], [0, 0, 0, UNKNOWN]]
    assert batch.lengths.tolist() == [4, 4, 4]
    assert encoded.lengths.tolist() == [4, 4, 4]


def test_padding_in_front_without_a_limit_fills_up_to_the_longest_text():
    batch = examples(["a b c", "b"], Vocabulary(("a", "b", "c")), padding="pre").batch(np.array([1]))
    assert batch.inputs.tolist() == [[0, 0, 3]]


@settings(max_examples=100)
@given(
    texts=st.lists(st.text("ab é日", max_size=9), min_size=1, max_size=6),
    limit=st.integers(0, 4),
    padding=st.sampled_from(["mask", "pre"]),
)
def test_every_batch_holds_exactly_the_last_tokens_of_its_texts(texts, limit, padding):
    vocabulary = Vocabulary(("a", "é", "ab"))
    encoded = examples(texts, vocabulary, max_tokens=limit, padding=padding)
    batch = encoded.batch(np.arange(len(texts)))
    for position, row in enumerate(batch.inputs.tolist()):
        words = Texts.of(texts).tokens.words(position)
        expected = vocabulary.indices(words[-limit:]).tolist() or [UNKNOWN]
        assert [index for index in row if index != PADDING] == expected
        assert len(row) == batch.lengths.max() == max(encoded.lengths)
        start = len(row) - len(expected) if padding == "pre" else 0
        assert row[start : start + len(expected)] == expected


def test_texts_are_taken_with_or_without_their_tokens():
    texts = Texts.of(["one", "two words", "three"])
    before = texts[np.array([1, 0])]
    _ = texts.tokens
    after = texts[np.array([1, 0])]
    assert list(before) == list(after) == ["two words", "one"]
    assert [before.tokens.words(0), after.tokens.words(0)] == [["two", "words"]] * 2
    assert texts[2] == "three"
    assert after.tokens.ids is texts.tokens.ids


@pytest.mark.parametrize("padding", ["mask", "pre"])
def test_an_encoder_comes_back_from_json_with_the_same_batches(padding):
    texts = Texts.of(["ein Satz", "noch ein 😀 Satz", ""])
    config = DataOptions(vocabulary=3, max_tokens=3, padding=padding)
    encoder = TextEncoder.fit(texts, config)
    again = TextEncoder.from_state(json.loads(json.dumps(encoder.state())))
    targets, index = np.arange(3), np.arange(3)
    first, second = (e.encode(Split(texts, targets), targets).batch(index) for e in (encoder, again))
    assert torch.equal(first.inputs, second.inputs)
    assert torch.equal(first.lengths, second.lengths)
