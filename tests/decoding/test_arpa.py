"""n-gram models as ARPA files: what was written comes back, and what others wrote is read."""

from __future__ import annotations

import gzip
import math

import numpy as np
import pytest

from gatework.decoding import NGramModel, read_arpa, write_arpa
from gatework.errors import DataError, UsageError

WORDS = ["the", "cat", "sat", "</s>", "<unk>"]
OTHERS = r"""
some words of whoever made it
\data\
ngram 1=4
ngram 2=3

\1-grams:
-1.0	<unk>
-99	<s>	-0.5
-0.4	cat	-0.25
-0.7	</s>

\2-grams:
-0.2	<s> cat
-0.3	cat </s>
-0.9	cat cat

\end\
"""


def test_a_model_comes_back_from_an_arpa_file(tmp_path):
    texts = [[0, 1, 2, 3], [0, 1, 3], [1, 2, 2, 3], [0, 3]]
    model = NGramModel.fit(texts, 3, len(WORDS))
    write_arpa(model, tmp_path / "model.arpa", WORDS)
    again, words = read_arpa(tmp_path / "model.arpa")
    assert words == WORDS
    assert again.ngrams == model.ngrams
    text = [0, 1, 4, 2, 3, 3, 0, 0]
    assert again.log_probabilities(text) == pytest.approx(model.log_probabilities(text), abs=1e-5)
    assert again.next_distribution().sum() == pytest.approx(1, abs=1e-5)


def test_a_file_of_another_program_is_read(tmp_path):
    with gzip.open(tmp_path / "model.arpa.gz", "wt", encoding="utf-8") as file:
        file.write(OTHERS)
    model, words = read_arpa(tmp_path / "model.arpa.gz")
    assert words == ["<unk>", "cat", "</s>"]
    scores = model.log_probabilities([1, 1, 0, 2]) / math.log(10)
    assert scores == pytest.approx([-0.2, -0.9, -0.25 - 1.0, -0.7], abs=1e-5)


def test_a_space_that_does_not_break_is_part_of_a_word(tmp_path):
    (tmp_path / "model.arpa").write_text(OTHERS.replace("cat", "«\xa0cat"), encoding="utf-8")
    assert read_arpa(tmp_path / "model.arpa")[1] == ["<unk>", "«\xa0cat", "</s>"]


def test_what_predicts_the_beginning_is_left_out_and_a_beginning_may_be_missing(tmp_path):
    (tmp_path / "a").write_text(OTHERS.replace("-0.9\tcat cat", "-0.9\tcat <s>"), encoding="utf-8")
    assert read_arpa(tmp_path / "a")[0].ngrams == (3, 2)
    lines = [line for line in OTHERS.splitlines() if "<s>" not in line]
    (tmp_path / "b").write_text("\n".join(lines), encoding="utf-8")
    model, words = read_arpa(tmp_path / "b")
    assert np.exp(model.log_probabilities([words.index("cat")])) == pytest.approx(10**-0.4, rel=1e-5)


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("-0.4\tcat\t-0.25", "-0.4\tcat\tdog\t-0.25", "line 10: expected a logarithm, 1 words"),
        ("-0.4\tcat", "nan\tcat", "line 10: expected a logarithm"),
        ("-0.4\tcat", "0.4\tcat", "line 10: expected a logarithm"),
        ("-0.7\t</s>", "-0.7\tcat", "line 11: the word cat stands there twice"),
        ("-0.9\tcat cat", "-0.9\tcat dog", "line 16: the word dog is not among the 1-grams"),
        ("-0.9\tcat cat", "-0.9\tcat </s>", "a 2-gram stands there twice"),
        ("\\2-grams:", "\\3-grams:", "line 13: .3-grams: stands where .2-grams: was expected"),
        ("\\end\\", "", "is no whole ARPA file"),
        ("\\2-grams:", "\\2-grams:\n\\3-grams:\n-0.1 cat </s> cat\n\\end\\", "goes on from a 2-gram that is not"),
    ],
)
def test_a_damaged_file_is_a_sentence(tmp_path, before, after, sentence):
    assert before in OTHERS
    (tmp_path / "model.arpa").write_text(OTHERS.replace(before, after), encoding="utf-8")
    with pytest.raises(DataError, match=sentence):
        read_arpa(tmp_path / "model.arpa")


def test_a_file_that_is_not_there_or_no_text_is_a_sentence(tmp_path):
    (tmp_path / "model.gz").write_bytes(b"\x00\xff")
    packed = bytearray(gzip.compress(OTHERS.encode()))
    packed[10:20] = bytes(10)
    (tmp_path / "damaged.gz").write_bytes(packed)
    (tmp_path / "model.arpa").write_bytes(b"\xff\xfe\x00")
    for name in ("model.gz", "damaged.gz", "model.arpa", "missing"):
        with pytest.raises(DataError, match=f"{name} could not be read as an ARPA file"):
            read_arpa(tmp_path / name)


def test_words_that_cannot_stand_in_the_format_are_refused(tmp_path):
    model = NGramModel.fit([[0, 1]], 2, 2)
    for words, sentence in ((["a"], "1 words for 2 tokens"), (["a", "a"], "expected a different word")):
        with pytest.raises(UsageError, match=sentence):
            write_arpa(model, tmp_path / "model.arpa", words)
    for word in ("a b", "", "<s>"):
        with pytest.raises(UsageError, match="cannot stand in an ARPA file"):
            write_arpa(model, tmp_path / "model.arpa", ["a", word])
