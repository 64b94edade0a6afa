"""What a table's columns look like before anybody has said what they are."""

import datetime

import polars as pl
import pytest

from gatework.data.column_summaries import column_summaries
from gatework.data.tables import Table
from gatework.options import over_time, step_by_step


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([f"{k % 28 + 1}.{k % 12 + 1}.2023" for k in range(40)], "times"),
        ([datetime.date(2023, 1, 1 + k % 31) for k in range(40)], "times"),
        ([f"{k / 4}" for k in range(40)], "number"),
        ([f"{3 * k},5" for k in range(40)], "number"),
        ([*range(7, 47)], "numbering"),
        (["true", "False"] * 20, "words"),
        (["red", "NA", "blue", ""] * 10, "words"),
        ([f"r{k}" for k in range(40)], "names"),
        ([f"no {k}" for k in range(40)], "text"),
        (["same"] * 40, "nothing"),
        ([None] * 40, "nothing"),
        ([[1, 2]] * 40, "nested"),
    ],
)
def test_a_column_is_told_by_its_values(values, kind):
    (column,) = column_summaries(Table.of(pl.DataFrame({"x": values})))
    assert column.kind == kind
    assert column.missing == (20 if "NA" in values else 40 if values == [None] * 40 else 0)


def test_numbers_count_time_only_in_a_column_that_is_called_so():
    years = [1900 + k for k in range(0, 80, 2)]
    columns = column_summaries(Table.of(pl.DataFrame({"year": years, "weight": years})))
    assert [column.kind for column in columns] == ["times", "number"]


@pytest.mark.parametrize("shops", [["a", "b"], [3, 8]])
def test_what_tells_series_apart_is_found_where_times_come_again(shops):
    days = [f"2023-01-{k // 2 + 1:02}" for k in range(60)]
    # Of each day the two measurements differ too, by chance.
    others = {"kind": ["x"] * 30 + ["y"] * 30, "y": [k % 8 for k in range(60)]}
    frame = pl.DataFrame({"day": days, "shop": shops * 30, **others})
    assert [column.name for column in column_summaries(Table.of(frame)) if column.tells_apart] == ["shop"]
    frame = frame.filter(pl.col("shop") == shops[0])
    assert not any(column.tells_apart for column in column_summaries(Table.of(frame)))


def test_rows_of_the_same_times_are_no_series_to_forecast_unless_a_column_tells_them_apart():
    frame = pl.DataFrame({"day": [f"2023-01-{k // 2 + 1:02}" for k in range(60)], "stars": [k % 5 for k in range(60)]})
    named = ("--time", "day", "--target", "stars")
    for table, options in (
        (frame, None),
        (frame.with_columns(shop=pl.Series(["a", "b"] * 30)), (*named, "--series", "shop")),
        (frame[::2], named),
        (pl.concat([frame[::2], frame[-1:]]), named),  # one day twice: a mistake that training names
    ):
        assert step_by_step(column_summaries(Table.of(table))) == options
    # A detector takes rows as they come.
    assert over_time(column_summaries(Table.of(frame))) == named
