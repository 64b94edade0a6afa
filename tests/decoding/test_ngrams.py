"""The n-gram model against the formulas of its docstring in plain Python, and whatever a person may give it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import product

import numpy as np
import pytest

from gatework.decoding import NGramModel
from gatework.errors import DataError, KindError, UsageError

FLOAT = 2e-6  # a few roundings of logarithms below 20 to 32-bit numbers


def documents(vocabulary: int, count: int = 5, length: int = 60) -> list[np.ndarray]:
    """Texts in which some tokens are much more frequent than others."""
    rng = np.random.default_rng(vocabulary)
    return [(vocabulary * rng.random(length) ** 3).astype(int) for _ in range(count)]


class PlainModel:
    """The same model by dictionaries, in double precision."""

    def __init__(self, texts, order, vocabulary):
        self.order, self.vocabulary = order, vocabulary
        marked = [(vocabulary, *map(int, text)) for text in texts]
        seen = [Counter() for _ in range(order + 1)]
        for text in marked:
            for n in range(1, order + 1):
                seen[n].update(text[k : k + n] for k in range(len(text) - n + 1) if text[k + n - 1] < vocabulary)
        self.counts = [Counter() for _ in range(order + 1)]
        for n in range(1, order + 1):
            for gram, count in seen[n].items():
                if n == order or gram[0] == vocabulary:
                    self.counts[n][gram] = count
                if n > 1:
                    lower = gram[1:]
                    if n - 1 < order:
                        self.counts[n - 1][lower] += 1
        self.discounts = [None, *(self.discount(n) for n in range(1, order + 1))]
        self.children = [defaultdict(list) for _ in range(order + 1)]
        for n in range(1, order + 1):
            for gram, count in self.counts[n].items():
                self.children[n][gram[:-1]].append((gram[-1], count))

    def discount(self, n):
        n1, n2, n3, n4 = (sum(c == k for c in self.counts[n].values()) for k in (1, 2, 3, 4))
        y = n1 / (n1 + 2 * n2) if n1 and n2 else 0.5
        if n1 and n2 and n3 and n4:
            modified = 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3
            if min(modified) > 0:
                return modified
        return y, y, y

    def probability(self, token, context):
        """Of a token after a context, which starts with the vocabulary's size at the beginning of a document."""
        n = min(len(context), self.order - 1) + 1
        context = tuple(context[len(context) - n + 1 :])
        shorter = 1 / self.vocabulary if n == 1 else self.probability(token, context[1:])
        children = self.children[n].get(context)
        if not children:
            return shorter
        total = sum(count for _, count in children)
        taken = [self.discounts[n][min(count, 3) - 1] for _, count in children]
        kept = sum(c - d for (w, c), d in zip(children, taken, strict=True) if w == token)
        return kept / total + sum(taken) / total * shorter


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("vocabulary", [2, 7])
def test_scores_are_those_of_the_formulas(order, vocabulary):
    texts = documents(vocabulary)
    model, plain = NGramModel.fit(texts, order, vocabulary), PlainModel(texts, order, vocabulary)
    assert model.discounts == [pytest.approx(d) for d in plain.discounts[1:]]
    text = documents(vocabulary, 6)[-1]
    wanted = [math.log(plain.probability(t, (vocabulary, *text[:k]))) for k, t in enumerate(text)]
    assert model.log_probabilities(text) == pytest.approx(wanted, abs=FLOAT)
    unmarked = [math.log(plain.probability(t, tuple(text[:k]))) for k, t in enumerate(text)]
    assert model.log_probabilities(text, NGramModel.nothing) == pytest.approx(unmarked, abs=FLOAT)


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("vocabulary", [1, 2, 4])
def test_the_probabilities_sum_to_one_after_every_context(order, vocabulary):
    model = NGramModel.fit(documents(vocabulary, 3, 25), order, vocabulary)
    for length in range(order + 1):
        for context in product(range(vocabulary), repeat=length):
            for first in (model.begin, model.nothing):
                state, scores = first, []
                for token in context:
                    state = model.advance(state, token)[1]
                distribution = model.next_distribution(state)
                assert distribution.sum() == pytest.approx(1, abs=vocabulary * FLOAT)
                scores = [model.advance(state, token)[0] for token in range(vocabulary)]
                assert np.log(distribution) == pytest.approx(scores, abs=FLOAT)
            assert model.state(context) == state


def test_no_ngram_reaches_over_the_end_of_a_document():
    model = NGramModel.fit([[0, 1], [2, 3], []], 2, 4)
    assert model.ngrams == (4, 4)  # two at the beginnings, and one within each
    assert model.next_distribution(model.state([1])) == pytest.approx(model.next_distribution(model.nothing))
    assert model.next_distribution().argsort()[-2:].tolist() == [0, 2]


def test_states_without_a_future_of_their_own_are_one():
    model = NGramModel.fit([[0, 1, 2, 0, 1, 3]], 4, 5)
    assert model.state([4]) == model.state([2, 4]) == model.nothing
    assert model.state([0, 1]) != model.state([1])


def test_a_few_lines_of_text_are_enough():
    lines = [[0, 1, 2], [0, 1, 3], [0, 4], [5], [0, 1, 2, 6]]
    model = NGramModel.fit(lines, 3, 8)
    # No pair has the count 2; of three tokens, three have 1 and one has 2.
    assert model.discounts[1:] == [(0.5,) * 3, pytest.approx((3 / 5,) * 3)]
    assert model.next_distribution(model.state([0, 1])).argmax() == 2
    assert (model.next_distribution() > 0).all()


def test_no_text_at_all_makes_all_tokens_equal():
    for texts in ([], [[]], [[], []]):
        model = NGramModel.fit(texts, 3, 4)
        assert model.log_probabilities([0, 3]) == pytest.approx([math.log(1 / 4)] * 2)


@pytest.mark.parametrize("order", [1, 3])
def test_a_model_comes_back_from_its_file(order, tmp_path):
    model = NGramModel.fit(documents(300, 4), order, 300)
    model.save(tmp_path / "model.safetensors")
    again = NGramModel.load(tmp_path / "model.safetensors")
    text = documents(300, 6)[-1]
    assert (again.order, again.vocabulary, again.ngrams) == (order, 300, model.ngrams)
    assert again.log_probabilities(text).tolist() == model.log_probabilities(text).tolist()
    assert model.arrays()["tokens"].dtype == np.uint16


@pytest.mark.parametrize("name", ["levels", "tokens", "children", "log_probability", "log_backoff"])
def test_damaged_arrays_are_refused_in_a_sentence(name):
    arrays = NGramModel.fit(documents(6), 3, 6).arrays()
    with pytest.raises(DataError, match=f"this is no n-gram model.*{name}"):
        NGramModel.from_arrays({key: value for key, value in arrays.items() if key != name})
    for damaged in (arrays[name][:-1], arrays[name][:0], np.append(arrays[name], arrays[name][-1:])):
        with pytest.raises(DataError, match="this is no n-gram model"):
            NGramModel.from_arrays({**arrays, name: damaged})
    if name in ("levels", "tokens", "children"):
        for place in (1, 2, 9, -1):  # the empty n-gram's token is never read
            damaged = arrays[name].astype(np.int64)
            damaged[min(place, len(damaged) - 1)] += 100
            with pytest.raises(DataError, match="this is no n-gram model"):
                NGramModel.from_arrays({**arrays, name: damaged})


def test_a_file_that_is_no_model_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "file").write_bytes(b"text")
    for name in ("file", "missing"):
        with pytest.raises(DataError, match=f"{name} could not be read as an n-gram model"):
            NGramModel.load(tmp_path / name)


@pytest.mark.parametrize(
    ("texts", "order", "vocabulary", "sentence"),
    [
        ([[0]], 0, 1, "the order of an n-gram model is 0, expected 1 or more"),
        ([[0]], 1, 0, "the vocabulary of an n-gram model has 0 tokens"),
        ([[0], [1, 2]], 1, 2, "document 1 holds the token 2, expected 0 to 1"),
        ([[-1]], 1, 2, "document 0 holds the token -1, expected 0 to 1"),
    ],
)
def test_a_wrong_call_is_a_sentence(texts, order, vocabulary, sentence):
    with pytest.raises(UsageError, match=sentence):
        NGramModel.fit(texts, order, vocabulary)


def test_tokens_are_whole_numbers_in_one_dimension():
    for wrong in ([0.5], [[0, 1]]):
        with pytest.raises(KindError, match="expected whole numbers in one dimension"):
            NGramModel.fit([wrong], 2, 3)


def test_a_state_is_one_of_the_model():
    model = NGramModel.fit([[0, 1]], 2, 2)
    for state in (-1, 10**6):
        with pytest.raises(UsageError, match="is no state of this n-gram model"):
            model.advance(state, 0)
    with pytest.raises(UsageError, match="token 2 is not in"):
        model.advance(model.begin, 2)
    for state in (np.array([0, 1]), [0], "a", 0.5):
        with pytest.raises(KindError, match=r"state\(tokens\) gives"):
            model.next_distribution(state)
    assert model.next_distribution(np.int64(model.begin)).sum() == pytest.approx(1)
