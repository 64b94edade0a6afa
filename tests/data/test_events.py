"""A table with a time column, row by row: every row keeps its place, and nothing is filled."""

from __future__ import annotations

import polars as pl
import pytest

from gatework.data.events import read_events
from gatework.data.tables import read_table
from gatework.errors import DataError
from gatework.options import TimeOptions

FRAME = pl.DataFrame(
    {
        "time": ["2024-05-01 10:00", "2024-05-01 08:00", "2024-05-01 09:00", "2024-05-01 08:00"],
        "pump": ["b", "a", "a", "b"],
        "heat": [4.0, 1.0, None, 3.0],
        "fault": [0, 1, 0, 0],
    }
)
OPTIONS = TimeOptions(time="time", series=("pump",))


def events(frame: pl.DataFrame = FRAME, label: str | None = None):
    return read_events(read_table(frame), OPTIONS, ("heat",), label)


def test_rows_go_by_series_and_time_and_know_where_they_stood():
    table = events()
    assert [rows.name for rows in table.series] == ["b", "a"]
    assert [rows.index.tolist() for rows in table.series] == [[3, 0], [1, 2]]
    assert table.series[0].values[:, 0].tolist() == [3.0, 4.0]
    assert all((rows.stamps[1:] > rows.stamps[:-1]).all() for rows in table.series)


def test_a_missing_value_stays_missing_and_is_told():
    table = events()
    assert str(table.series[1].values[1, 0]) == "nan"
    assert sum('1 values of "heat" are missing' in note for note in table.notes) == 1


def test_labels_stand_beside_their_rows_and_only_where_they_are_asked_for():
    assert [rows.labels.tolist() for rows in events(label="fault").series] == [[False, False], [True, False]]
    assert all(rows.labels is None for rows in events().series)


def test_two_rows_of_one_moment_keep_their_order_and_are_told():
    frame = FRAME.with_columns(time=pl.lit("2024-05-01 08:00"))
    table = events(frame)
    assert [rows.index.tolist() for rows in table.series] == [[0, 3], [1, 2]]
    assert any("2 rows have the time of the row before" in note for note in table.notes)


@pytest.mark.parametrize(("days", "said"), [((1, 2, 3, 4), 0), ((1, 2, 3, 9), 1)])
def test_rows_of_one_moment_do_not_make_gaps_of_the_steps_between_them(days, said):
    times = [f"2024-05-{day:02d}" for day in days for _ in range(2)]
    table = events(FRAME[:1].select(pl.all().repeat_by(8).explode()).with_columns(time=pl.Series(times)))
    assert sum("1 gaps in time" in note for note in table.notes) == said
    assert sum("gaps in time" in note for note in table.notes) == said


def test_a_label_that_is_neither_is_named_with_its_row():
    with pytest.raises(DataError, match=r'column "fault": row 2 .* is "2", expected 0'):
        events(FRAME.with_columns(fault=pl.Series([0, 1, 2, 0])), label="fault")
