import numpy as np
import polars as pl
import pytest

from gatework import training
from gatework.errors import DataError, UsageError
from gatework.tasks.generate.data import text_dataset
from support.texts import sentences, small, text


def joined(split) -> str:
    return "".join(split.inputs.texts)


def marked_where_it_breaks(passages) -> str:
    pairs = zip(passages.texts, passages.follows, strict=True)
    return "".join(one if goes_on else f"|{one}" for one, goes_on in pairs)


def test_the_last_tenth_of_a_text_is_for_testing_and_spread_pieces_before_it_for_validation(tmp_path):
    path = text(tmp_path, 80_000)
    whole = path.read_text()
    made = text_dataset(path, small())
    train, validation, test = (joined(part) for part in (made.train, made.validation, made.test))
    assert test == whole[int(0.9 * len(whole)) :]
    assert len(validation) == pytest.approx(0.05 * 0.9 * len(whole), rel=0.02)
    assert len(train) + len(validation) + len(test) == len(whole)
    learnt, held = (marked_where_it_breaks(part.inputs) for part in (made.train, made.validation))
    turns = [part for pair in zip(learnt.split("|")[1:], held.split("|")[1:], strict=True) for part in pair]
    assert len(turns) == 6
    assert "".join(turns) == whole[: int(0.9 * len(whole))]
    assert not any(part.inputs.is_end.any() for part in (made.train, made.validation, made.test))


def test_the_documents_for_validation_are_spread_over_those_to_learn_from():
    rows = [f"document {number}" for number in range(100)]
    made = text_dataset(pl.DataFrame({"text": rows}), small(validation=0.1))
    assert np.diff(made.validation.inputs.documents).tolist() == [10] * 8
    assert made.test.inputs.documents.min() > made.train.inputs.documents.max()


def test_many_documents_stay_whole(tmp_path):
    for number, sentence in enumerate(sentences(40)):
        (tmp_path / f"{number:02}.txt").write_text(sentence * 3)
    made = text_dataset(tmp_path, small())
    parts = (made.train, made.validation, made.test)
    assert all(part.inputs.is_end.all() and len(part) for part in parts)
    assert len({sentence * 3 for sentence in sentences(40)}) >= sum(map(len, parts)) > 30


def test_a_document_that_stands_in_the_training_part_is_not_tested_on():
    rows = [*sentences(30), *sentences(2), "Something new that is nowhere else."]
    made = text_dataset(pl.DataFrame({"text": rows}), small(test=0.3))
    learnt = set(made.train.inputs.texts)
    assert not learnt & (set(made.test.inputs.texts) | set(made.validation.inputs.texts))
    assert any("left out" in note for note in made.provenance.notes)


def test_a_few_documents_are_cut_where_the_shares_say(tmp_path):
    for name in "ab":
        text(tmp_path, 3000, f"{name}.txt")
    made = text_dataset(tmp_path, small())
    assert made.train.inputs.documents.tolist() != made.test.inputs.documents.tolist()
    assert sum(len(joined(part)) for part in (made.train, made.validation, made.test)) == 6000
    assert made.train.inputs.is_end.sum() == 1


def test_a_table_needs_its_column_only_where_there_are_several():
    rows = sentences(30)
    assert len(text_dataset(pl.DataFrame({"said": rows}), small()).train) > 10
    frame = pl.DataFrame({"said": rows, "heard": rows})
    with pytest.raises(UsageError, match="--text"):
        text_dataset(frame, small())
    assert len(text_dataset(frame, small(text="heard")).train) > 10


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "holds no text, and at least 100"),
        (b"  \n \n", "holds no text"),
        (b"a few words", "holds 11 characters of text, and at least 100"),
        (bytes(range(256)) * 40, "text"),
        (b"some words \0 and a zero" * 50, "is no text"),
    ],
)
def test_what_is_no_text_or_too_little_is_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "file.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        text_dataset(path, small())


def test_a_folder_without_texts_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match=r"\.txt were expected"):
        text_dataset(tmp_path, small())


@pytest.mark.parametrize(
    "content",
    ["ab" * 60, "a" * 150, "the end " * 400, "日本語の文章です。\n" * 30, "xyz\r\n" * 60],
    ids=["short", "one letter", "one line", "no latin letter", "other line ends"],
)
def test_a_short_or_strange_text_is_learnt_and_gone_on_with(tmp_path, content):
    path = tmp_path / "file.txt"
    path.write_bytes(content.encode())
    run = training.train("generate", path, out=tmp_path / "run", recipe=small(epochs=1), threads=1)
    assert run.predict("a", length=5, seed=1)["text"][0] != ""
