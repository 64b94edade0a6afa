"""Long tables to sequences: order, splits, labels, missing values, and what is refused."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from gatework import tasks
from gatework.data.inputs import RaggedSeries
from gatework.errors import DataError, UsageError
from support.long_tables import small, waves

EVERY = ("train", "validation", "test")


def load(frame, **changes):
    return tasks.load(frame, small(**changes))


def by_bytes(dataset) -> dict[bytes, int]:
    parts = [getattr(dataset, name) for name in EVERY]
    return {part.inputs[k].tobytes(): int(part.targets[k]) for part in parts for k in range(len(part))}


def test_each_series_is_one_example_with_its_rows_in_the_order_of_time_wherever_they_stand():
    frame = waves(30)
    found = by_bytes(load(frame))
    expected = {
        part.sort("t").select("a", "b").to_numpy().tobytes(): ["fast", "slow"].index(part["y"][0])
        for part in frame.partition_by("id")
    }
    assert found == expected


def test_times_may_be_dates_and_only_their_order_counts():
    frame = waves(30)
    dated = frame.with_columns(t=pl.date(2024, 1, 1) + pl.duration(days=pl.col("t") * 7))
    assert by_bytes(load(dated)) == by_bytes(load(frame)) == by_bytes(load(dated.cast({"t": pl.String})))


def test_without_a_column_of_times_rows_stay_in_the_order_of_the_table_and_a_note_says_so():
    ordered = waves(30, is_shuffled=False)
    plain = load(ordered.drop("t"), time=None)
    assert by_bytes(plain) == by_bytes(load(ordered))
    assert any("in the order of the table" in note for note in plain.provenance.notes)


def test_without_value_every_other_column_of_numbers_is_read():
    assert load(waves(30), value=None).columns["values"] == ("a", "b")


def test_a_missing_value_becomes_the_one_before_it_or_the_first_one_and_a_note_counts_them():
    frame = waves(30, is_shuffled=False)
    at = (pl.col("id") == "w3") & pl.col("t").is_in([0, 2])
    holes = frame.with_columns(a=pl.when(at).then(None).otherwise("a"))
    rows = frame.filter(pl.col("id") == "w3").select("a", "b").to_numpy().copy()
    rows[[0, 2], 0] = rows[1, 0]
    dataset = load(holes)
    assert rows.tobytes() in by_bytes(dataset)
    assert any(note.startswith("2 missing values were filled") for note in dataset.provenance.notes)
    zero = load(holes, missing="zero")
    rows[[0, 2], 0] = 0.0
    assert rows.tobytes() in by_bytes(zero)
    with pytest.raises(DataError, match='series "w3" has no value in a row of the column "a"'):
        load(holes, missing="error")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": None}, 'no value at all in the column "a"'),
        ({"y": "slower"}, "a series has one label"),
        ({"t": 1}, 'of the series "w0" have the same time 1'),
        ({"id": None}, "which series it is of"),
        ({"y": None}, "ha(s|ve) no label"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_a_sentence(change, message):
    ((name, value),) = change.items()
    is_hit = pl.col("id") == "w0"
    if name in ("y", "t", "id"):
        is_hit = is_hit & (pl.col("t") == 3)
    frame = waves(10, is_shuffled=False)
    frame = frame.with_columns(pl.when(is_hit).then(pl.lit(value)).otherwise(pl.col(name)).alias(name))
    with pytest.raises(DataError, match=message) as caught:
        load(frame)
    assert "\n" not in str(caught.value)


def test_columns_that_make_no_sense_together_are_refused_in_a_sentence():
    frame = waves(10)
    with pytest.raises(UsageError, match="--series"):
        load(frame, series=None)
    with pytest.raises(UsageError, match="has one role"):
        load(frame, value="a,t")
    with pytest.raises(UsageError, match="leave --text out"):
        load(frame, text="y")
    with pytest.raises(DataError, match='no column "nothing"'):
        load(frame, value="nothing")
    with pytest.raises(DataError, match="every sequence has another label"):
        load(frame.with_columns(y="id"))


def test_a_file_to_test_on_is_the_whole_test_part(tmp_path):
    waves(12, seed=1).write_csv(tmp_path / "test.csv")
    dataset = load(waves(30), test_file=str(tmp_path / "test.csv"))
    assert (len(dataset.test), len(dataset.train) + len(dataset.validation)) == (12, 30)


def test_some_of_several_series_are_those_series_and_none_is_allowed():
    series = [np.arange(2.0 * n).reshape(n, 2) for n in (3, 1, 4)]
    whole = RaggedSeries.of(series)
    some = whole[np.array([2, 0])]
    assert [some[k].tolist() for k in range(2)] == [series[2].tolist(), series[0].tolist()]
    assert len(whole[np.arange(0)]) == 0
