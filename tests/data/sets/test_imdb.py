import io
import os
import tarfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gatework.data import load
from gatework.data.dataset import Dataset
from gatework.errors import DataError
from gatework.options import DataOptions

PARTS = [(part, label) for part in ("test", "train") for label in ("neg", "pos")]
OFFICIAL = Path(os.environ.get("GATEWORK_DATA", "")) / "imdb" / "aclImdb_v1.tar.gz"


def archive(folder: Path, reviews: dict[str, str]) -> Path:
    """An archive in the official layout."""
    path = folder / "imdb" / "aclImdb_v1.tar.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, text in reviews.items():
            content = text.encode()
            member = tarfile.TarInfo(f"aclImdb/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def reviews(count: int = 10) -> dict[str, str]:
    found = {"imdb.vocab": "the\n", "train/unsup/0_0.txt": "unlabelled"}
    for part, label in PARTS:
        for i in reversed(range(count)):
            found[f"{part}/{label}/{i}_{i % 10}.txt"] = f"{part} {label} {i}<br /><br />word{i} É 😀"
    return found


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GATEWORK_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GATEWORK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "data"


def same(a: Dataset, b: Dataset) -> bool:
    return all(
        list(x.inputs) == list(y.inputs)
        and x.targets.tolist() == y.targets.tolist()
        and [x.inputs.tokens.words(i) for i in range(len(x))] == [y.inputs.tokens.words(i) for i in range(len(y))]
        for x, y in ((getattr(a, part), getattr(b, part)) for part in ("train", "validation", "test"))
    )


def test_the_official_parts_and_labels_are_kept(own_folder):
    archive(own_folder, reviews())
    dataset = load("imdb", DataOptions(validation=0.2))
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [16, 4, 20]
    assert dataset.classes == ("neg", "pos")
    for part, name in ((dataset.train, "train"), (dataset.validation, "train"), (dataset.test, "test")):
        for text, target in zip(part.inputs, part.targets, strict=True):
            assert text.startswith(f"{name} {dataset.classes[target]} ")
            assert text.count("\n\n") == 1
            assert "<br" not in text
    assert dataset.test.inputs[0] == "test neg 0\n\nword0 É 😀"
    assert dataset.test.inputs.tokens.words(0) == ["test", "neg", "0", "word0", "é", "😀"]
    assert "checksum is not that of the official file" in dataset.provenance.notes[0]


def test_the_second_time_comes_from_the_cache_and_is_the_same(own_folder, monkeypatch):
    archive(own_folder, reviews())
    first = load("imdb", DataOptions())

    def never(*_):
        raise AssertionError("the archive was read again")

    monkeypatch.setattr(tarfile, "open", never)
    assert same(first, load("imdb", DataOptions()))


def test_another_archive_is_not_taken_from_the_cache(own_folder):
    archive(own_folder, reviews())
    first = load("imdb", DataOptions())
    archive(own_folder, reviews(11))
    assert len(load("imdb", DataOptions()).test) == len(first.test) + 2


def test_a_damaged_cache_is_made_again(own_folder):
    archive(own_folder, reviews())
    first = load("imdb", DataOptions())
    (kept,) = (own_folder.parent / "cache" / "imdb").iterdir()
    for file in kept.iterdir():
        file.write_bytes(file.read_bytes()[:40])
        assert same(first, load("imdb", DataOptions()))
    assert pl.read_parquet(kept / "reviews.parquet").height == 40


def test_without_room_for_the_cache_the_data_still_comes(own_folder, monkeypatch):
    archive(own_folder, reviews())
    (own_folder / "occupied").write_text("")
    monkeypatch.setenv("GATEWORK_CACHE", str(own_folder / "occupied"))
    assert len(load("imdb", DataOptions()).test) == 20


def test_a_truncated_archive_is_one_sentence_and_leaves_no_cache(own_folder):
    path = archive(own_folder, reviews(300))
    whole = path.read_bytes()
    for length in (len(whole) // 2, len(whole) - 4, 100, 0):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"aclImdb_v1.tar.gz is truncated or damaged \(.*\); delete it") as caught:
            load("imdb", DataOptions())
        assert "\n" not in str(caught.value)
    assert not (own_folder.parent / "cache").exists()


def test_another_archive_says_what_it_lacks(own_folder):
    archive(own_folder, {name: text for name, text in reviews().items() if not name.startswith("test/neg")})
    with pytest.raises(DataError, match="is not the official archive: it holds no reviews in aclImdb/test/neg"):
        load("imdb", DataOptions())


@pytest.mark.data
@pytest.mark.skipif(not OFFICIAL.is_file(), reason="GATEWORK_DATA holds no imdb/aclImdb_v1.tar.gz")
def test_the_whole_set_has_its_published_sizes():
    dataset = load("imdb", DataOptions())
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [20_000, 5_000, 25_000]
    assert np.bincount(dataset.test.targets).tolist() == [12_500, 12_500]
    assert np.bincount(dataset.train.targets).tolist() == [10_000, 10_000]
