"""The step of a regular series: read, written, inferred, and counted along a grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatework.data.frequency import DAY, HOUR, MINUTE, SECOND, WEEK, Frequency, Grid, infer
from gatework.errors import DataError, UsageError

NAMES = ("S", "10S", "min", "15min", "H", "6H", "D", "3D", "W", "2W", "B", "M", "2M", "Q", "Y")
FREQUENCIES = st.sampled_from(NAMES).map(Frequency.parse)
# 1 January 1970 to 2100, in whole days.
DAYS = st.integers(0, 47_000)


def stamps(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[us]").astype(np.int64)


@pytest.mark.parametrize("name", NAMES)
def test_a_frequencys_name_reads_as_itself(name):
    assert Frequency.parse(name).name == name


@pytest.mark.parametrize(
    ("text", "kind", "size"),
    [
        ("d", "time", DAY),
        ("60min", "time", HOUR),
        ("90S", "time", 90 * SECOND),
        ("MS", "months", 1),
        ("4Q", "months", 12),
    ],
)
def test_other_spellings_are_the_same_step(text, kind, size):
    assert Frequency.parse(text) == Frequency(kind, size)


@pytest.mark.parametrize("text", ["", "0D", "fortnight", "2B", "-3D", "D D"])
def test_what_is_no_frequency_is_one_sentence(text):
    with pytest.raises(UsageError, match="the frequency is"):
        Frequency.parse(text)


@settings(max_examples=200)
@given(FREQUENCIES, DAYS, st.lists(st.integers(-300, 300), min_size=1, max_size=8))
def test_positions_and_stamps_undo_each_other(frequency, day, positions):
    if frequency.kind == "business" and (day + 3) % 7 >= 5:  # 1 January 1970 was a Thursday
        day += 2
    grid = Grid(frequency, day * DAY)
    at = np.array(positions, dtype=np.int64)
    again, off = grid.positions(grid.stamps(at))
    assert again.tolist() == positions
    assert not off.any()


@settings(max_examples=100)
@given(FREQUENCIES, DAYS)
def test_time_goes_on_with_the_positions(frequency, day):
    made = Grid(frequency, day * DAY).stamps(np.arange(-50, 50))
    assert (np.diff(made) > 0).all()


def test_the_end_of_a_month_stays_its_end_in_months_of_any_length():
    grid = Grid.fit(Frequency.parse("M"), stamps("2023-01-31", "2023-02-28", "2023-03-31"))
    assert grid.stamps(np.arange(13, 15)).tolist() == stamps("2024-02-29", "2024-03-31").tolist()


def test_a_business_step_leaves_weekends_out():
    friday = stamps("2024-05-03")[0]
    made = Grid(Frequency.parse("B"), int(friday)).stamps(np.array([0, 1, 5, 6]))
    assert made.tolist() == stamps("2024-05-03", "2024-05-06", "2024-05-10", "2024-05-13").tolist()


def test_a_weekends_stamp_belongs_to_the_business_day_before_it():
    grid = Grid(Frequency.parse("B"), int(stamps("2024-05-03")[0]))
    positions, off = grid.positions(stamps("2024-05-03", "2024-05-04", "2024-05-05", "2024-05-06"))
    assert positions.tolist() == [0, 0, 0, 1]
    assert off.tolist() == [0, DAY, 2 * DAY, 0]


def test_a_named_quarter_begins_where_the_calendar_says():
    grid = Grid.fit(Frequency.parse("Q"), stamps("2024-02-01", "2024-03-01", "2024-04-01"), is_named=True)
    assert grid.anchor == stamps("2024-01-01")[0]
    assert grid.positions(stamps("2024-02-01", "2024-03-01", "2024-04-01"))[0].tolist() == [0, 0, 1]
    # Where all stamps lie in the same month of a quarter, that one is theirs.
    assert Grid.fit(Frequency.parse("Q"), stamps("2024-02-01", "2024-05-01")).anchor == stamps("2024-02-01")[0]


def test_months_of_which_some_are_missing_have_the_step_that_all_are_whole_numbers_of():
    def step_of(*texts: str) -> Frequency:
        return infer(stamps(*texts), np.zeros(len(texts), dtype=np.int64), "table")

    assert step_of("2024-01-01", "2024-03-01", "2024-05-01", "2024-09-01") == Frequency("months", 2)
    assert step_of("2024-01-01", "2024-03-01", "2024-05-01", "2024-08-01") == Frequency("months", 1)


@pytest.mark.parametrize("step", [SECOND, MINUTE, 15 * MINUTE, HOUR, DAY, WEEK])
def test_a_step_is_found_also_with_gaps_and_two_series(step):
    random = np.random.default_rng(0)
    one = np.sort(random.choice(400, 300, replace=False)) * step
    found = infer(np.concatenate([one, one + 7 * step]), np.repeat([0, 1], 300), "table")
    assert found == Frequency("time", step)


def test_stamps_without_a_step_are_refused_in_one_sentence():
    random = np.random.default_rng(0)
    with pytest.raises(DataError, match="follows no regular step"):
        infer(np.sort(random.integers(0, 100 * DAY, 200)), np.zeros(200, dtype=np.int64), "table.csv")


def test_one_stamp_for_each_series_is_too_few():
    with pytest.raises(DataError, match="at least two steps are needed"):
        infer(np.array([0, DAY]), np.array([0, 1]), "table.csv")


def test_a_step_is_said_in_words():
    names = ("D", "15min", "2W", "W-SAT", "3M", "Q", "B", "H", "30S", "Y")
    assert [Frequency.parse(name).words for name in names] == [
        "one day", "15 minutes", "2 weeks", "one week", "one quarter", "one quarter", "one working day",
        "one hour", "30 seconds", "one year",
    ]  # fmt: skip
