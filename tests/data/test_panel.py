import dataclasses
import datetime

import numpy as np
import polars as pl
import pytest

from gatework.data._columns import matrix
from gatework.data.frequency import DAY, HOUR, Frequency, Grid
from gatework.data.panel import Panel, read_panel
from gatework.data.tables import Table, read_table
from gatework.errors import DataError, GateworkError, UsageError
from gatework.options import TimeOptions


def days(count: int, start: str = "2024-01-01") -> list[str]:
    first = datetime.date.fromisoformat(start)
    return [str(first + datetime.timedelta(k)) for k in range(count)]


def read(columns: dict[str, list[object]], targets: tuple[str, ...] = ("y",), **config: str) -> Panel:
    table = Table(pl.DataFrame(columns), "x.csv", "x", lambda at: f"row {at + 1}", "")
    return read_panel(table, TimeOptions(**({"time": "t"} | config)), targets)


def refused(columns: dict[str, list[object]], targets: tuple[str, ...] = ("y",), **config: str) -> str:
    with pytest.raises(GateworkError) as caught:
        read(columns, targets, **config)
    assert isinstance(caught.value, (DataError, UsageError))
    return str(caught.value)


@pytest.mark.parametrize(
    ("stamps", "name"),
    [
        (days(20), "D"),
        (days(20)[::7] + days(60)[21::7], "W"),
        ([f"{y}-{m:02d}" for y in (2020, 2021) for m in range(1, 13)], "M"),
        (["2023-01-31", "2023-02-28", "2023-03-31", "2023-04-30", "2023-05-31"], "M"),
        (["2023-01-01", "2023-04-01", "2023-07-01", "2023-10-01"], "Q"),
        ([str(y) for y in range(1900, 1950)], "Y"),
        ([d for d in days(60) if datetime.date.fromisoformat(d).weekday() < 5], "B"),
        ([f"2024-01-01 {h:02d}:{m:02d}" for h in range(5) for m in (0, 15, 30, 45)], "15min"),
        ([f"2024-01-0{d}T{h:02d}:00:00Z" for d in (1, 2) for h in range(24)], "H"),
    ],
)
def test_the_step_is_found_from_the_stamps(stamps: list[str], name: str) -> None:
    table = read({"t": stamps, "y": list(range(len(stamps)))})
    assert table.frequency.name == name
    assert Frequency.parse(name) == table.frequency
    assert len(table.series[0]) == len(stamps)
    assert table.series[0].observed.all()


@pytest.mark.parametrize("name", ["D", "B", "M", "Q", "Y", "W", "15min", "2H"])
def test_a_position_on_the_grid_leads_to_its_stamp_and_back(name: str) -> None:
    # 2024-01-31 was a Wednesday and the last day of its month.
    grid = Grid(Frequency.parse(name), int(np.datetime64("2024-01-31", "us").astype(np.int64)))
    positions = np.arange(-40, 40)
    back, distance = grid.positions(grid.stamps(positions))
    np.testing.assert_array_equal(back, positions)
    assert not distance.any()


def test_stamps_that_jitter_go_to_the_nearest_step_and_it_is_said() -> None:
    random = np.random.default_rng(0)
    exact = np.datetime64("2024-01-01") + np.arange(50) * np.timedelta64(300, "s")
    jitter = (random.integers(-10, 11, 50) * (np.arange(50) % 2)).astype("timedelta64[s]")
    table = read({"t": [str(s).replace("T", " ") for s in exact + jitter], "y": list(range(50))})
    assert table.frequency.name == "5min"
    np.testing.assert_array_equal(table.series[0].values[:, 0], np.arange(50.0))
    assert any("off the grid of 5 minutes" in note for note in table.notes)


@pytest.mark.parametrize(
    ("closed", "config", "names"),
    [
        ((6,), {}, "Sundays"),
        ((2, 6), {}, "Wednesdays and Sundays"),
        ((6,), {"missing": "zero"}, ""),
        ((0, 2, 6), {}, ""),
        ((), {}, ""),
    ],
)
def test_days_of_the_week_that_are_left_out_are_named_with_the_option_for_them(
    closed: tuple[int, ...], config: dict[str, str], names: str
) -> None:
    open_days = [day for k, day in enumerate(days(140)) if k % 7 not in closed]  # the first is a Monday
    panel = read({"t": open_days, "y": list(range(len(open_days)))}, frequency="D", **config)
    told = [note for note in panel.notes if note.startswith("Nearly all days without a value are")]
    assert [f"are {names}: --missing zero" in note for note in told] == [True] * bool(names)


def test_gaps_and_missing_values_follow_the_rule_and_never_look_ahead() -> None:
    columns = {"t": [*days(3), *days(3, "2024-01-06")], "y": ["1", "NA", "3", "6", "", "8"]}
    previous = read(columns)
    np.testing.assert_array_equal(previous.series[0].values[:, 0], [1, 1, 3, 3, 3, 6, 6, 8])
    np.testing.assert_array_equal(previous.series[0].observed[:, 0], [1, 0, 1, 0, 0, 1, 0, 1])
    assert any("2 steps without a row" in note for note in previous.notes)
    assert any("2 missing values" in note for note in previous.notes)
    zero = read(columns, missing="zero")
    np.testing.assert_array_equal(zero.series[0].values[:, 0], [1, 0, 3, 0, 0, 6, 0, 8])
    assert zero.series[0].observed.all()
    assert '2024-01-02 has no value in the column "y"' in refused(columns, missing="error")


def test_each_row_knows_its_series_and_its_step_in_any_order() -> None:
    table = read(
        {
            "t": ["2024-01-02", "2024-01-05", "2024-01-01", "2024-01-04", "2024-01-02"],
            "code": list("abaab"),
            "y": [*range(5)],
        },
        series="code",
    )
    np.testing.assert_array_equal(table.rows, [[0, 1], [1, 3], [0, 0], [0, 3], [1, 0]])
    assert [s.id for s in table.series] == [("a",), ("b",)]
    np.testing.assert_array_equal(table.series[1].values[:, 0], [4, 4, 4, 1])


@pytest.mark.parametrize("missing", ["previous", "zero"])
def test_each_series_of_many_is_laid_out_as_one_that_stands_alone(missing: str) -> None:
    random, parts = np.random.default_rng(0), []
    for name in "abcd":
        # The last rows are the future: nothing but what is known of it.
        y = np.where((random.random(30) < 0.3) | (np.arange(30) >= 26), np.nan, random.normal(size=30))
        y[25] = 1.0
        numbers = {"y": y, "k": random.normal(size=30), "p": np.where(random.random(30) < 0.3, np.nan, y)}
        frame = pl.DataFrame({"t": days(30), "s": [name] * 30, **numbers, "n": [float(ord(name))] * 30})
        parts.append(frame.filter(pl.Series((random.random(30) > 0.2) | (np.arange(30) >= 25))))
    config = TimeOptions(time="t", series="s", known="k", past="p", static="n", missing=missing)
    together = read_panel(Table.of(pl.concat(parts).sort("t")), config, ("y",))
    assert [note for note in together.notes if "future" in note] == [
        "16 steps after the last value of their series are the future."
    ]
    for part, series in zip(parts, together.series, strict=True):
        alone = read_panel(Table.of(part), config, ("y",)).series[0]
        assert (series.id, series.start - together.series[0].start) == (alone.id, starts_after(parts[0], part))
        for name in ("values", "observed", "known", "past", "static"):
            np.testing.assert_array_equal(getattr(series, name), getattr(alone, name))


def starts_after(one: pl.DataFrame, other: pl.DataFrame) -> int:
    """By how many days the first value of a table is later than that of another."""
    first, second = (datetime.date.fromisoformat(f.filter(~pl.col("y").is_nan())["t"][0]) for f in (one, other))
    return (second - first).days


def test_equal_rows_are_dropped_and_others_at_the_same_time_need_a_rule() -> None:
    stamps = [*days(4), "2024-01-04"]
    table = read({"t": stamps, "y": [1, 2, 3, 4, 4]})
    np.testing.assert_array_equal(table.series[0].values[:, 0], [1, 2, 3, 4])
    assert any("1 row that repeat" in note for note in table.notes)
    columns = {"t": stamps, "y": [1, 2, 3, 4, 6]}
    message = refused(columns)
    assert "row 4 and row 5" in message
    assert "2024-01-04" in message
    assert "--series" in message
    for rule, last in {"mean": 5, "sum": 10, "first": 4, "last": 6}.items():
        assert read(columns, duplicates=rule).series[0].values[-1, 0] == last


def test_hours_are_counted_through_a_change_of_clocks() -> None:
    moments = np.datetime64("2024-10-26T22:00", "us") + np.arange(30) * np.timedelta64(1, "h")
    there = pl.Series(moments).dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Berlin")
    naive = there.dt.replace_time_zone(None).dt.strftime("%Y-%m-%d %H:%M").to_list()
    assert naive.count("2024-10-27 02:00") == 2
    table = read({"t": naive, "y": list(range(30))}, time_zone="Europe/Berlin")
    assert len(table.series[0]) == 30
    assert table.series[0].observed.all()
    assert table.stamps(np.arange(30)).dt.strftime("%Y-%m-%d %H:%M").to_list() == naive
    offsets = there.dt.strftime("%Y-%m-%dT%H:%M:%S%:z").to_list()
    assert len(read({"t": offsets, "y": list(range(30))}).series[0]) == 30


def test_days_are_local_days_through_a_change_of_clocks() -> None:
    # Clocks in Berlin went forward on 31 March 2024 at 2 in the morning: that day has 23 hours.
    stamps = [f"2024-03-{d} 00:00+01:00" for d in range(25, 32)] + ["2024-04-01 00:00+02:00", "2024-04-02 00:00+02:00"]
    table = read({"t": stamps, "y": list(range(9))})
    assert table.frequency.name == "D"
    # Also where half of the days that are there are of 23 hours.
    assert read({"t": stamps[5:8], "y": [1, 2, 3]}).frequency.name == "D"
    assert len(table.series[0]) == 9
    assert str(table.stamps(np.array([8]))[0]) == "2024-04-02"


def test_an_hour_that_the_clocks_leave_out_is_refused() -> None:
    stamps = ["2024-03-31 01:00", "2024-03-31 02:00", "2024-03-31 03:00"]
    assert "row 2" in refused({"t": stamps, "y": [1, 2, 3]}, time_zone="Europe/Berlin")


def test_texts_become_indicators_and_a_future_keeps_what_is_known() -> None:
    table = read(
        {"t": days(5), "y": [1, 2, 3, None, None], "h": ["no", "yes", "no", "no", "yes"], "p": [1, 2, 3, None, None]},
        known="h",
        past="p",
    )
    series = table.series[0]
    assert len(series) == 3
    np.testing.assert_array_equal(series.known, [[1, 0], [0, 1], [1, 0], [1, 0], [0, 1]])
    assert table.columns.features(table.columns.known) == ("h=no", "h=yes")
    assert series.past.shape == (3, 1)


def test_an_empty_field_is_a_category_where_the_table_learnt_from_has_one() -> None:
    columns = {"t": days(3), "y": [1, 2, 3], "h": ["", "Easter", "none"]}
    table = read(columns, known="h")
    assert table.columns.features(table.columns.known) == ("h=", "h=Easter")
    np.testing.assert_array_equal(table.series[0].known, [[1, 0], [0, 1], [1, 0]])
    later = pl.DataFrame({"h": ["Easter", None, "Advent"]})
    only = dataclasses.replace(table.columns, targets=())
    _, known = matrix(later[:2], only, "f.csv", "row {}".format, only)
    np.testing.assert_array_equal(known, [[0, 1], [1, 0]])
    with pytest.raises(DataError, match=r'column "h": row 2 is "Advent", .* expected one of an empty field, Easter'):
        matrix(later, only, "f.csv", "row {}".format, only)
    full = read({"t": days(3), "y": [1, 2, 3], "h": ["no", "yes", "no"]}, known="h").columns
    _, known = matrix(later[1:2], dataclasses.replace(full, targets=()), "f.csv", "row {}".format, full)
    assert np.isnan(known).all()


@pytest.mark.parametrize(
    ("columns", "config", "expected"),
    [
        ({"t": [], "y": []}, {}, "holds no rows"),
        ({"t": ["2024-01-01"], "y": [1]}, {}, 'x.csv, column "t" has one time stamp'),
        ({"t": ["2024-01-01", "soon"], "y": [1, 2]}, {}, 'column "t": row 2 is "soon"'),
        ({"t": ["2024-01-01", None], "y": [1, 2]}, {}, 'column "t": row 2 has no time'),
        ({"t": days(3), "y": ["1", "two", "3"]}, {}, 'column "y": row 2 is "two", expected a number'),
        ({"t": days(3), "y": [1.0, float("inf"), 3.0]}, {}, 'column "y": row 2 is infinite'),
        ({"t": days(3), "y": ["", "NA", ""]}, {}, 'column "y" holds no value'),
        ({"t": days(3), "z": [1, 2, 3]}, {}, 'has no column "y"'),
        ({"t": days(3), "y": [1, 2, 3]}, {"time": "T"}, 'has no column "T": did you mean "t"?'),
        ({"t": ["01/02/2024", "02/02/2024"], "y": [1, 2]}, {}, "--time-format"),
        ({"t": ["2024-01-01", "2024-01-03", "2024-01-04 05:00", "2024-02-11"], "y": [1, 2, 3, 4]}, {}, "row 3"),
        ({"t": days(3), "y": [1, 2, 3]}, {"frequency": "fortnight"}, 'the frequency is "fortnight"'),
        ({"t": days(3), "y": [1, 2, 3]}, {"time_zone": "Mars"}, 'no time zone "Mars"'),
        ({"t": days(3), "y": [1, 2, 3], "s": ["a", "b", "a"]}, {"static": "s"}, "row 2 differs from row 1"),
        (
            {"t": days(3), "y": [1, 2, None], "k": [1, 2, None]},
            {"known": "k"},
            '2024-01-03 has no value in the column "k"',
        ),
        ({"t": days(3), "y": [1, 2, 3]}, {"past": "y"}, "named 2 times"),
    ],
)
def test_a_bad_table_is_refused_in_one_sentence(columns: dict, config: dict, expected: str) -> None:
    message = refused(columns, **config)
    assert expected in message
    assert "\n" not in message


def test_stamps_without_a_step_are_refused_until_one_is_named() -> None:
    random = np.random.default_rng(1)
    stamps = np.datetime64("2024-01-01", "s") + np.cumsum(random.integers(60, 40_000, 60)).astype("timedelta64[s]")
    columns = {"t": [str(s) for s in stamps], "y": list(range(60))}
    assert "--frequency" in refused(columns)
    table = read(columns, frequency="D")
    assert table.frequency.size == DAY
    assert len(table.series[0]) < 60
    assert any("put together by their mean" in note for note in table.notes)


def test_a_clock_that_repeats_and_leaves_out_an_hour_is_told_of() -> None:
    moments = np.datetime64("2024-01-01T00:00", "us") + np.arange(24 * 330) * np.timedelta64(1, "h")
    there = pl.Series(moments).dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Berlin")
    naive = there.dt.replace_time_zone(None).dt.strftime("%Y-%m-%d %H:%M").to_list()
    table = read({"t": naive, "y": list(range(len(naive)))}, duplicates="mean")
    assert table.frequency.size == HOUR
    assert any("--time-zone" in note for note in table.notes)


def every_six_hours(count: int) -> list[str]:
    first = datetime.datetime(2023, 1, 4, 8, 30)
    return [str(first + datetime.timedelta(hours=6 * k)) for k in range(count)]


@pytest.mark.parametrize(
    ("frequency", "first", "values"),
    [
        ("D", "2023-01-04", [1, 4.5, 8.5]),
        ("W", "2023-01-02", [9, 32.5, 60.5]),
        ("W-SAT", "2023-01-01", [7, 28.5, 56.5]),
        ("M", "2023-01-01", [55, 115]),
        ("Q", "2023-01-01", [59.5]),
        ("12H", "2023-01-04 00:00:00", [0, 1.5, 3.5]),
    ],
)
def test_a_named_step_is_the_calendars(frequency: str, first: str, values: list[float]) -> None:
    table = read({"t": every_six_hours(120), "y": list(range(120))}, frequency=frequency)
    assert str(table.stamps(np.array([table.series[0].start]))[0]) == first
    np.testing.assert_array_equal(table.series[0].values[: len(values), 0], values)
    assert Frequency.parse(table.frequency.name) == table.frequency


def test_steps_that_lie_alike_keep_their_own_place_in_the_calendar() -> None:
    stamps = [f"{year}-{month:02d}-15" for year in range(2000, 2005) for month in (2, 5, 8, 11)]
    for config in ({}, {"frequency": "Q"}):
        table = read({"t": stamps, "y": list(range(20))}, **config)
        assert [str(stamp) for stamp in table.stamps(table.series[0].start + np.arange(20))] == stamps


@pytest.mark.parametrize("frequency", ["D-MON", "W-XXX", "0D", "9999999999D"])
def test_a_frequency_that_says_more_than_is_known_is_refused(frequency: str) -> None:
    assert f'the frequency is "{frequency}"' in refused({"t": days(3), "y": [1, 2, 3]}, frequency=frequency)


def test_a_named_rule_for_duplicates_holds_for_every_row_of_a_step() -> None:
    columns = {"t": every_six_hours(7) + every_six_hours(1), "y": [1, 1, 1, 1, 1, 1, 1, 1], "k": [1] * 8}
    table = read(columns, frequency="D", duplicates="sum", known="k")
    np.testing.assert_array_equal(table.series[0].values[:, 0], [4, 4])
    np.testing.assert_array_equal(table.series[0].known[:, 0], [1, 1])
    mean = read({"t": [*days(3), "2024-01-03", "2024-01-03"], "y": [0, 0, 1, 1, 4]}, duplicates="mean")
    assert mean.series[0].values[-1, 0] == 2


def test_where_no_row_means_zero_every_series_goes_on_to_the_tables_last_step() -> None:
    columns = {"t": [*days(5), *days(2)], "s": list("aaaaabb"), "y": [1] * 7}
    table = read(columns, series="s", missing="zero")
    assert [len(s) for s in table.series] == [5, 5]
    np.testing.assert_array_equal(table.series[1].values[:, 0], [1, 1, 0, 0, 0])
    assert [len(s) for s in read(columns, series="s").series] == [5, 2]


def test_one_mistyped_year_is_named_before_a_step_is_made() -> None:
    stamps = [*every_six_hours(50), "9901-01-01 08:30:00"]
    message = refused({"t": stamps, "y": list(range(51))})
    assert "row 51 is of 9901-01-01" in message
    assert "mend that time" in message
    # Of the rows before and after the gap the fewer are named.
    assert "row 1 is of 1024-01-01" in refused({"t": ["1024-01-01 00:00:00", *stamps[:50]], "y": list(range(51))})


def test_a_series_may_have_a_hundred_thousand_steps_however_few_its_rows() -> None:
    def stretched(hours: int) -> dict[str, list[object]]:
        last = np.datetime64("2024-01-01T02") + np.timedelta64(hours, "h")
        return {"t": ["2024-01-01 00:00", "2024-01-01 01:00", str(last).replace("T", " ") + ":00"], "y": [1, 2, 3]}

    assert len(read(stretched(99_997), frequency="H").series[0]) == 100_000
    assert "stretch over 100,001 steps" in refused(stretched(99_998), frequency="H")


def test_an_id_is_the_same_series_however_a_program_wrote_it() -> None:
    table = read({"t": [*days(3), *days(3)], "s": [1, 1, 1, 2, 2, 2], "y": list(range(6))}, series="s")
    later = {"t": days(3, "2024-01-04"), "s": [1.0] * 3, "y": [1, 2, 3]}
    again = read_panel(Table.of(pl.DataFrame(later)), TimeOptions(time="t", series="s"), ("y",), like=table)
    assert again.series[0].id == table.series[0].id == ("1",)


def test_columns_without_a_role_are_named_once_and_not_of_a_newer_table() -> None:
    columns = {"t": days(9), "y": [float(k * k) for k in range(9)], "promo": [0] * 9, "wind": [1] * 9}
    first = read(columns, past="wind")
    assert any(note.startswith("Not used: promo. ") for note in first.notes)
    assert not any("Not used" in note for note in read(columns, past="wind,promo").notes)
    table = Table(pl.DataFrame(columns), "x.csv", "x", lambda at: f"row {at + 1}", "")
    newer = read_panel(table, TimeOptions(time="t", past="wind"), ("y",), like=first)
    assert not any("Not used" in note for note in newer.notes)
    many = read({"t": days(9), "y": columns["y"], **{f"c{k}": [0] * 9 for k in range(12)}})
    assert any("c9 and 2 more." in note for note in many.notes)


def test_the_rows_that_share_a_step_are_counted_one_by_one() -> None:
    stamps = [stamp for day in days(5) for stamp in [day] * (3 if day == days(5)[1] else 2 if day == days(5)[3] else 1)]
    table = read({"t": stamps, "y": list(range(8))}, duplicates="sum")
    assert "5 rows that share their step with others were put together by their sum." in table.notes


def test_times_of_day_in_a_column_of_their_own_are_named_where_rows_clash(tmp_path):
    rows = "".join(f"2024-01-{k // 4 + 1:02d},{k % 4:02d}:00,{k}\n" for k in range(40))
    (tmp_path / "x.csv").write_text("day,from,y\n" + rows)
    with pytest.raises(DataError, match='name one column with the day and the time of day, which "from" holds, the'):
        read_panel(read_table(tmp_path / "x.csv"), TimeOptions(time="day"), ["y"])
