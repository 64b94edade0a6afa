from pathlib import Path

import pytest

from gatework.data import load
from gatework.errors import DataError, UsageError
from gatework.options import DataOptions


@pytest.fixture
def folder(tmp_path):
    def make(texts: dict[str, str | bytes]):
        for name, text in texts.items():
            path = tmp_path / "reviews" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)
        return tmp_path / "reviews"

    return make


def texts(label: str, count: int) -> dict[str, str]:
    return {f"{label}/{i}.txt": f"{label.replace('/', ' ')} {i}" for i in range(count)}


def test_a_folder_per_class_is_a_dataset(folder):
    dataset = load(folder(texts("pos", 10) | texts("neg", 10) | {"readme.md": "x"}), DataOptions())
    assert dataset.classes == ("neg", "pos")
    assert dataset.name == "reviews"
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [13, 3, 4]
    for part in (dataset.train, dataset.validation, dataset.test):
        assert [text.split()[0] for text in part.inputs] == [dataset.classes[target] for target in part.targets]


def test_a_folder_that_is_gone_while_it_is_listed_is_a_sentence(folder, monkeypatch):
    path = folder(texts("pos", 2))

    def glob(*_):
        raise FileNotFoundError(2, "No such file or directory", "/proc/13084")

    monkeypatch.setattr(Path, "glob", glob)
    with pytest.raises(
        DataError, match=r"reviews cannot be listed \(/proc/13084: no such file or directory\); name the"
    ):
        load(path, DataOptions())


def test_train_and_test_folders_are_the_parts(folder):
    parts = [texts(f"{part}/{label}", 10) for part in ("train", "test") for label in ("pos", "neg")]
    path = folder(parts[0] | parts[1] | parts[2] | parts[3] | texts("train/unsup", 5))
    dataset = load(str(path), DataOptions())
    assert all(text.startswith("test") for text in dataset.test.inputs)
    assert len(dataset.test) == 20
    assert len(dataset.train) + len(dataset.validation) == 20
    assert dataset.classes == ("neg", "pos")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"readme.md": "x"}, "holds no texts: a folder per class with .txt files in it was expected"),
        ({"a/1.txt": "x", "a/2.txt": "y"}, 'every label in column "label" is "a"'),
        ({"a/1.txt": "x", "b/2.txt": "né\n".encode() + b"\xff"}, r"b/2.txt, row 2 .*: byte 0xff is not valid UTF-8"),
    ],
)
def test_a_folder_that_is_something_else_is_told(folder, content, sentence):
    with pytest.raises(DataError, match=sentence):
        load(folder(content), DataOptions())


def test_a_test_folder_with_a_new_class_names_the_file(folder):
    content = texts("train/pos", 5) | texts("train/neg", 5) | texts("test/meh", 1)
    with pytest.raises(DataError, match=r'test/meh/0.txt: the label "meh" is none of the classes: there is neg, pos'):
        load(folder(content), DataOptions())


def test_a_missing_folder_suggests_the_nearest(folder):
    path = folder(texts("a", 1))
    with pytest.raises(DataError, match=r'did you mean "reviews"\?'):
        load(path.with_name("review"), DataOptions())


def test_a_folder_has_no_values_to_predict(folder):
    with pytest.raises(UsageError, match="a task that predicts classes can read it"):
        load(folder(texts("a", 1) | texts("b", 1)), DataOptions(), "regress")
