"""A table packed into a store: the same examples from any kind of file, parted by content, checked when opened."""

import errno
import pickle

import numpy as np
import polars as pl
import pytest

from gatework import tasks
from gatework.data.store.files import Store
from gatework.data.store.packing import packed_dataset
from gatework.data.text import Vocabulary
from gatework.data.tokens import words_of
from gatework.errors import DataError, UsageError
from gatework.options import DataOptions
from gatework.recipe import Recipe
from support.texts import sentences


@pytest.fixture(scope="module")
def table():
    texts = sentences(300)
    labels = ["pos" if "king" in text else "neg" for text in texts]
    return pl.DataFrame({"review": [*texts, *texts[:40]], "sentiment": [*labels, *labels[:40]]})


def options(tmp_path, name="store [1]", **changes):
    return DataOptions(store=str(tmp_path / name), **{"text": "review", "label": "sentiment"} | changes)


def test_a_folder_of_parquet_files_a_csv_and_json_lines_give_the_same_store(table, tmp_path, monkeypatch):
    monkeypatch.setattr("gatework.data.store.packing._TEXTS", 64)
    for year in (1, 2):
        (tmp_path / f"table [1]/year={year}").mkdir(parents=True)
        table[(year - 1) * 170 : year * 170].write_parquet(tmp_path / f"table [1]/year={year}/part.parquet")
    table.write_csv(tmp_path / "table.csv", separator=";")
    table.write_ndjson(tmp_path / "table [1].jsonl")
    # polars takes brackets for a pattern unless told otherwise.
    sources = [tmp_path / name for name in ("table [1]", "table.csv", "table [1].jsonl")]
    packed = [packed_dataset(path, options(tmp_path, path.name + ".store"), "label") for path in sources]
    assert len({each.provenance.fingerprint for each in packed}) == 1
    one = packed[0]
    words = [set(one.train.take(np.arange(len(one.train))).inputs.strings)]
    words += [{" ".join(words_of(text)) for text in part.inputs.strings} for part in (one.validation, one.test)]
    assert sum(map(len, (one.train, one.validation, one.test))) == len(table)
    assert not words[0] & words[1]
    assert not words[0] & words[2]
    assert not words[1] & words[2]
    assert one.classes == ("neg", "pos")
    assert np.array_equal(one.class_counts, np.bincount(one.train.targets))


def test_what_is_counted_while_packing_is_what_is_in_the_training_part(table, tmp_path):
    table.write_parquet(tmp_path / "table.parquet")
    packed = packed_dataset(tmp_path / "table.parquet", options(tmp_path), "label")
    again = pickle.loads(pickle.dumps(packed))
    assert len(pickle.dumps(packed.train)) < 10_000
    held = again.train.take(np.arange(len(again.train))).inputs
    encoder = packed.train.inputs.fitted(DataOptions(vocabulary=50))
    assert encoder.vocabulary == Vocabulary.fit(held, 50)
    assert np.array_equal(held[np.array([3])].tokens.flat(), held.tokens.take(np.array([3])).flat())
    assert len(packed.sampled.train) == len(packed.train)


def test_series_keep_the_scale_of_all_their_values_and_values_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr("gatework.data.store.sources.ROWS", 64)
    random = np.random.default_rng(0)
    values = random.normal(5, 3, (500, 4))
    frame = pl.DataFrame(values, schema=["a", "b", "c", "d"]).with_columns(y=pl.Series(values.sum(1) * 10))
    frame.write_parquet(tmp_path / "t.parquet")
    packed = packed_dataset(tmp_path / "t.parquet", DataOptions(target="y", store=str(tmp_path / "s")), "target")
    held = packed.train.take(np.arange(len(packed.train)))
    scale = packed.train.inputs.fitted(DataOptions(scale=True)).scale
    single = np.asarray(held.inputs).astype(np.float64)
    # Rounding of sums of n numbers, each of them well below 100 and its square below 10^4.
    assert abs(scale.mean[0] - single.mean()) < 1e-10
    assert abs(scale.std[0] - single.std()) < 1e-9
    assert np.array_equal(held.targets, packed.train.targets)
    assert held.targets.dtype == np.float64
    assert abs(packed.train.target_scale(is_scaled=True).mean[0] - held.targets.mean()) < 1e-9


def test_a_store_is_refused_where_it_is_damaged_or_of_other_data(table, tmp_path):
    table.write_parquet(tmp_path / "table.parquet")
    packed_dataset(tmp_path / "table.parquet", options(tmp_path), "label")
    with pytest.raises(UsageError, match="other settings of data"):
        packed_dataset(tmp_path / "table.parquet", options(tmp_path, split_seed=1), "label")
    file = tmp_path / "store [1]" / "tokens.bin"
    content = bytearray(file.read_bytes())
    content[8] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        packed_dataset(tmp_path / "table.parquet", options(tmp_path), "label")
    file.write_bytes(content[:-4])
    with pytest.raises(DataError, match="not complete"):
        packed_dataset(tmp_path / "table.parquet", options(tmp_path), "label")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("mine")
    with pytest.raises(UsageError, match="holds no store"):
        packed_dataset(tmp_path / "table.parquet", options(tmp_path, "other"), "label")


def test_of_very_many_examples_few_are_held_back_and_it_is_said(table, tmp_path, monkeypatch):
    monkeypatch.setattr("gatework.data.store.packing.HELD", 20)
    monkeypatch.setattr("gatework.data.store.inputs.SAMPLE", 50)
    table.write_parquet(tmp_path / "table.parquet")
    packed = packed_dataset(tmp_path / "table.parquet", options(tmp_path), "label")
    # Sums of independent draws with a mean of 20 each.
    assert 0 < len(packed.test) < 45
    assert 0 < len(packed.validation) < 45
    assert len(packed.sampled.train) == 50
    notes = " ".join(packed.provenance.notes)
    assert "are held back" in notes
    assert "fitted to 50 of them" in notes


def test_what_no_store_can_hold_is_refused_in_a_sentence(table, tmp_path):
    table.write_parquet(tmp_path / "table.parquet")
    recipe = Recipe(task="classify").changed(store=str(tmp_path / "s"), text="review", label="sentiment")
    learnt = tasks.get("classify")
    for source, changes, message in (
        ("imdb", {}, "fits memory"),
        (table, {}, "of a table on disk"),
        (tmp_path / "table.parquet", {"series": "review", "time": "review"}, "series of a long table"),
        (tmp_path / "table.parquet", {"pretrain": "texts.txt"}, "needs the texts in memory"),
        (tmp_path / "table.parquet", {"test_file": "other.csv"}, "does not go with --store"),
    ):
        with pytest.raises(UsageError, match=message):
            learnt.load(source, recipe.changed(**changes))


@pytest.mark.parametrize(
    ("failure", "kind", "words"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            DataError,
            "store cannot be written: no space left on device; name another folder",
        ),
        (UsageError("a column is missing"), UsageError, "a column is missing"),
        (KeyboardInterrupt("stopped"), KeyboardInterrupt, "stopped"),
    ],
)
def test_a_store_that_is_refused_stopped_or_too_large_leaves_nothing(tmp_path, failure, kind, words):
    def write(folder):
        (folder / "rows.bin").write_bytes(b"some")
        raise failure

    with pytest.raises(kind, match=words):
        Store.kept(str(tmp_path / "new" / "store"), "key", write, "data")
    assert not list(tmp_path.iterdir())


def test_a_store_stands_alone_in_its_folder(table, tmp_path):
    (tmp_path / "stores").mkdir()
    table.write_parquet(tmp_path / "table.parquet")
    packed_dataset(tmp_path / "table.parquet", options(tmp_path, "stores/one"), "label")
    assert [path.name for path in (tmp_path / "stores").iterdir()] == ["one"]
