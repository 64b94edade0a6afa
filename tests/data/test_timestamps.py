import datetime

import numpy as np
import polars as pl
import pytest

from gatework.data.reading import Reading
from gatework.data.time_formats import are_times, parsed, written
from gatework.data.timestamps import Stamps, read_stamps
from gatework.errors import DataError, GateworkError


def read(values: list[object], *, is_kept: bool = False, **reading: str) -> Stamps:
    column, codes = pl.Series("t", values), np.zeros(len(values), dtype=np.int64)
    row = "row {}".format
    return read_stamps(column, codes, source="x.csv", row=row, reading=Reading(**reading), is_kept=is_kept)


def micro(text: str) -> int:
    return int(np.datetime64(text, "us").astype(np.int64))


@pytest.mark.parametrize(
    ("values", "second", "found"),
    [
        (["2023-01-01", "2023-01-02"], "2023-01-02", "%Y-%m-%d"),
        (["2023/01/05 1:00", "2023/01/05 2:00"], "2023-01-05T02:00", "%Y/%m/%d %H:%M"),
        (["2023-01-01 10:00:00,123", "2023-01-01 10:00:01,5"], "2023-01-01T10:00:01.5", "%Y-%m-%d %H:%M:%S%.f"),
        (["01-01-2023", "13-01-2023"], "2023-01-13", "%d-%m-%Y"),
        (["01-Jan-2023", "02-Feb-2023"], "2023-02-02", "%d-%B-%Y"),
        (["January 5, 2023", "February 6, 2023"], "2023-02-06", "%B %d, %Y"),
        (["Mon, 02 Jan 2023", "Tue, 03 Jan 2023"], "2023-01-03", "%A, %d %B %Y"),
        (["Monday, 02 January 2023", "Tuesday, 03 January 2023"], "2023-01-03", "%A, %d %B %Y"),
        (["Mon Jan  2 10:00:00 2023", "Tue Jan  3 10:00:00 2023"], "2023-01-03T10:00", "%A %B %d %H:%M:%S %Y"),
        (["02/Jan/2023:10:00:00 +0000", "02/Jan/2023:11:00:00 +0000"], "2023-01-02T11:00", "%d/%B/%Y:%H:%M:%S"),
        (["02JAN2023:10:00:00", "02JAN2023:11:00:00.5"], "2023-01-02T11:00:00.5", "%d%B%Y:%H:%M:%S%.f"),
        (["31 Aug 2023", "1 Sept 2023"], "2023-09-01", "%d %B %Y"),
        (["2023-01-01 10", "2023-01-01 11"], "2023-01-01T11:00", "%Y-%m-%d %H"),
        (["2023-01-01", "2023-01-01 01:00:00"], "2023-01-01T01:00", "%Y-%m-%d %H:%M:%S%.f"),
        (["2023-01-01 01:00", "2023-01-02"], "2023-01-02", "%Y-%m-%d %H:%M"),
        (["2023-01-31 23:00", "2023-01-31 24:00"], "2023-02-01", "%Y-%m-%d %H:%M"),
        (["2018-W01-1", "2018-W01-2"], "2018-01-02", "%G-W%V-%u"),
        (["2018M12", "2019M01"], "2019-01-01", "%YM%m"),
        (["2023-031", "2023-032"], "2023-02-01", "%Y-%j"),
        (["Jan 2020", "Feb 2020"], "2020-02-01", "%B %Y"),
        (["2000Q1", "2000Q2"], "2000-04-01", "%YQ%q"),
        (["Q4 2020", "Q1 2021"], "2021-01-01", "Q%q %Y"),
        (["2018-W01", "2018-W02"], "2018-01-08", "%G-W%V"),
        (["1/1/23", "1/19/23"], "2023-01-19", "%m/%d/%y"),
        (["31.12.99", "01.01.00"], "2000-01-01", "%d.%m.%y"),
        (["01.01.2023 10:00", "02.01.2023 10:00"], "2023-01-02T10:00", "%d.%m.%Y %H:%M"),
        (["1/1/2023, 10:00:00 AM", "1/19/2023, 10:00:01 PM"], "2023-01-19T22:00:01", "%m/%d/%Y, %I:%M:%S %p"),
        (["2020.01", "2020.02"], "2020-02-01", "%Y.%m"),
        (["1672531200", "1672534800"], "2023-01-01T01:00", "seconds"),
        ([1672531200, 1672534800], "2023-01-01T01:00", "seconds"),
        (["1672531200000", "1672534800000"], "2023-01-01T01:00", "milliseconds"),
        ([1672531200 * 10**6, 1672534800 * 10**6], "2023-01-01T01:00", "microseconds"),
        ([1672531200 * 10**9, 1672534800 * 10**9], "2023-01-01T01:00", "nanoseconds"),
        ([20230101, 20230102], "2023-01-02", "%Y%m%d"),
        (["20230101", "20230102"], "2023-01-02", "%Y%m%d"),
        ([202301, 202302], "2023-02-01", "%Y%m"),
        (["2023010100", "2023010101"], "2023-01-01T01:00", "%Y%m%d%H"),
        ([1712010100, 1712010101], "2024-04-01T22:21:41", "seconds"),
        (["20230101120000", "20230101130000"], "2023-01-01T13:00", "%Y%m%d%H%M%S"),
        ([44927, 44928], "2023-01-02", "excel"),
        ([44927.0, 44927 + 1 / 24], "2023-01-01T01:00", "excel"),
        ([1950.0, 1950 + 1 / 12], "1950-02-01", "years"),
        ([1950.042, 1950.125], "1950-02-01", "years"),
        ([1700, 1701], "1701-01-01", "years"),
        ([datetime.date(2023, 1, 1), datetime.date(2023, 1, 2)], "2023-01-02", None),
        (["KW52/2020", "KW53/2020", "KW1/2021"], "2020-12-28", "KW%V/%G"),
        (["52. KW 2020", "53. KW 2020"], "2020-12-28", "%V. KW %G"),
        (["KW 52 2020", "KW 53 2020"], "2020-12-28", "KW %V %G"),
        (["2020-KW52", "2020-KW53"], "2020-12-28", "%G-KW%V"),
        (["2020-W52", "2020-W53"], "2020-12-28", "%G-W%V"),
        (["CW52/20", "CW53/20"], "2020-12-28", "CW%V/%g"),
        (["Week 52, 2020", "Week 53, 2020"], "2020-12-28", "Week %V, %G"),
        (["44927,0", "44927,5"], "2023-01-01T12:00", "excel"),
        (["52/2020", "53/2020", "01/2021"], "2020-12-28", "%V/%G"),
        ([202052, 202053, 202101], "2020-12-28", "%G%V"),
        ([2020001, 2020366], "2020-12-31", "%Y%j"),
        (["1. Quartal 2020", "2. Quartal 2020"], "2020-04-01", "%q. Quartal %Y"),
        (["28. Februar 2020", "1. März 2020"], "2020-03-01", "%d. %B %Y"),
        (["Feb 20", "Mrz 20", "Okt 20"], "2020-03-01", "%B %y"),
        (["1er janvier 2020", "2 février 2020"], "2020-02-02", "%d %B %Y"),
        (["Mar 4, 2020", "Mar 5, 2020"], "2020-03-05", "%B %d, %Y"),
        (["lun 2 marzo 2020", "mar 3 marzo 2020"], "2020-03-03", "%d %B %Y"),
        (["segunda-feira, 2 de março de 2020", "terça-feira, 3 de março de 2020"], "2020-03-03", "%d %B %Y"),
        (["5 мая 2020", "6 июня 2020"], "2020-06-06", "%d %B %Y"),
        (["3 listopada 2020", "4 grudnia 2020"], "2020-12-04", "%d %B %Y"),
        (["1 fevrier 2020", "2 decembre 2020"], "2020-12-02", "%d %B %Y"),
        (["1 de enero de 2020", "2 de diciembre de 2020"], "2020-12-02", "%d %B %Y"),
        (["Mo, 05.02.2024", "Di, 06.02.2024"], "2024-02-06", "%d.%m.%Y"),
        (["Jan. 5, 2024", "January 6th, 2024"], "2024-01-06", "%B %d, %Y"),
        (["01.02.2024 13:00 Uhr", "01.02.2024 14:00 Uhr"], "2024-02-01T14:00", "%d.%m.%Y %H:%M"),
        (["01.02.2024 13.00", "01.02.2024 14.30"], "2024-02-01T14:30", "%d.%m.%Y %H:%M"),
        (["01/02/2024 13h00", "13/02/2024 14h00"], "2024-02-13T14:00", "%d/%m/%Y %H:%M"),
        (["02-JAN-24 03.04.05.0 PM", "13-JAN-24 04.04.05.0 PM"], "2024-01-13T16:04:05", "%d-%B-%y %I:%M:%S%.f %p"),
        (["2024年1月1日", "2024年1月2日"], "2024-01-02", "%Y-%m-%d"),
        (["01.02.2024 00:00 - 01:00", "01.02.2024 01:00 - 02:00"], "2024-02-01T01:00", "%d.%m.%Y %H:%M - %H:%M"),
        (
            ["01.02.2024 00:00 - 01.02.2024 01:00", "01.02.2024 01:00 - 01.02.2024 02:00"],
            "2024-02-01T01:00",
            "%d.%m.%Y %H:%M - %d.%m.%Y %H:%M",
        ),
        (["2024-01-01 00:00–00:15", "2024-01-01 00:15–00:30"], "2024-01-01T00:15", "%Y-%m-%d %H:%M–%H:%M"),
        (["01.02.2024 - 07.02.2024", "08.02.2024 - 14.02.2024"], "2024-02-08", "%d.%m.%Y - %d.%m.%Y"),
    ],
    ids=str,
)
def test_a_time_is_read_as_it_was_meant_and_the_format_is_kept(values, second, found) -> None:
    stamps = read(values)
    assert stamps.local[1] == micro(second)
    assert stamps.format == found
    if found is not None:
        again = read(values[1:], time_format=found, is_kept=True)
        assert again.local[0] == stamps.local[1]


@pytest.mark.parametrize(
    ("values", "reading", "sentence"),
    [
        (
            ["01/02/2024", "02/02/2024"],
            {},
            "may be %d/%m/%Y or %m/%d/%Y, and every row fits both; say which by --time-",
        ),
        (["13/01/2023", "01/13/2023"], {}, 'row 1 is "01/13/2023"'),
        (["2023-01-01", "2023-13-01"], {}, 'row 1 is "2023-13-01"'),
        (["0023-07-19"], {}, 'row 0 is "0023-07-19"'),
        ([1000, 1001], {}, "numbers like it may be anything"),
        ([2020.01, 2020.02], {}, "may be no years"),
        ([5, 6], {}, "--time-format"),
        ([1e300, 2.0], {}, "--time-format"),
        (["9999-12-31"], {}, "expected a time in the years 1000 to 9998"),
        (["2018-01-01 10"], {"time_format": "%Y-%m-%d %M"}, "cannot be used"),
        (["2018-01-01", "2018-01-02 10:00", "2018-01-03"], {}, 'row 1 is "2018-01-02 10:00"'),
        (["2018-01-01 10:00", "2018-01-02", "2018-01-03"], {}, 'row 0 is "2018-01-01 10:00"'),
        (["2018-01-01 10:00", "2018-01-01 25:00"], {}, 'row 1 is "2018-01-01 25:00"'),
        (["2018-01-01"], {"time_format": "seconds"}, 'expected the format "seconds"'),
        ([datetime.timedelta(1)], {}, "expected dates or times"),
        ([b"a"], {}, "expected text"),
        (["2024-01-01T00:00Z", "2024-01-02T00:00"], {}, "without an offset from UTC"),
        (["1. März 2020", "31. Februar 2020"], {}, 'row 1 is "31. Februar 2020"'),
        (["2024-01-01", "a\0" * 400], {}, 'row 1 is "' + r"a\x00" * 25 + '...", expected'),
        (["2019/20", "2020/21"], {}, 'row 0 is "2019/20"'),
        (["2024-01-01", "2024-01-02", "Summe"], {}, 'row 2 is "Summe", a row of totals'),
    ],
    ids=str,
)
def test_what_is_no_time_is_one_sentence_with_a_way_out(values, reading, sentence) -> None:
    with pytest.raises(GateworkError) as caught:
        read(values, **reading)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_decided_between_day_and_month_is_said() -> None:
    days = [f"{day:02d}/01/2023" for day in range(1, 31)]
    assert read(days).notes == ('x.csv, column "t" was read as %d/%m/%Y, day first: 18 rows decide it.',)


def test_a_date_alone_among_times_of_day_is_said_to_be_midnight() -> None:
    notes = read(["2023-01-01", "2023-01-01 08:00", "2023-01-01 16:00", "2023-01-02"]).notes
    assert notes == ('x.csv, column "t": 2 rows have a date alone, which was read as midnight.',)


def test_a_kept_format_reads_what_would_be_ambiguous_and_dates_that_begin_with_the_year() -> None:
    assert read(["01/08/2023"], time_format="%d/%m/%Y", is_kept=True).local[0] == micro("2023-08-01")
    assert read(["2023-08-01"], time_format="%d/%m/%Y", is_kept=True).local[0] == micro("2023-08-01")
    with pytest.raises(DataError, match=r'expected the format "%d/%m/%Y", which the training table decided'):
        read(["08/19/2023"], time_format="%d/%m/%Y", is_kept=True)
    with pytest.raises(DataError, match='expected the format "%d/%m/%Y"; mend'):
        read(["2023-08-01"], time_format="%d/%m/%Y")


@pytest.mark.parametrize("offset", ["+02:00", "+0200", "+02"])
def test_an_offset_is_one_after_a_time_of_day_alone(offset) -> None:
    stamps = read([f"2023-06-01 10:00:00{offset}"])
    assert stamps.moments is not None
    assert stamps.moments[0] == micro("2023-06-01T08:00")
    assert read(["01-02-2023", "13-02-2023"]).moments is None


@pytest.mark.parametrize(
    ("pattern", "step"),
    [
        ("%Y-%m", "1mo"),
        ("%m/%Y", "1mo"),
        ("%Y%m", "1mo"),
        ("%Y-Q%q", "1q"),
        ("Q%q %Y", "1q"),
        ("%G-W%V", "1w"),
        ("%Y", "1y"),
    ],
)
def test_times_of_periods_are_written_as_they_were_read(pattern: str, step: str) -> None:
    first = datetime.date(2019, 12, 30) if step == "1w" else datetime.date(2019, 1, 1)
    stamps = pl.date_range(first, datetime.date(2026, 1, 1), step, eager=True).cast(pl.Datetime("us"))
    texts = pl.Series(written(stamps, pattern))
    assert parsed(texts, pattern).to_list() == stamps.to_list()
    days = pl.date_range(first, first + datetime.timedelta(days=40), "1d", eager=True)
    assert written(days, pattern)[0] == first.isoformat()
    assert written(days, "%d.%m.%Y")[0] == first.isoformat()


def test_the_ends_of_spans_are_no_offsets_from_utc() -> None:
    clocks = [f"2024-01-01 {hour:02d}:00-{hour + 1:02d}:00" for hour in range(12)]
    spans = read(clocks)
    assert spans.moments is None
    assert spans.local.tolist() == [micro(f"2024-01-01T{hour:02d}:00") for hour in range(12)]
    assert 'such as "2024-01-01 00:00-01:00", whose beginnings were taken' in spans.notes[-1]
    assert read(clocks[:1], time_format=spans.format, is_kept=True).moments is None
    offsets = read([f"2024-01-01 {hour:02d}:00-05:00" for hour in range(12)])
    assert offsets.moments is not None
    assert offsets.moments[0] == micro("2024-01-01T05:00")


@pytest.mark.parametrize("zone", ["CEST", "MESZ", "+02:00[Europe/Berlin]"])
def test_the_name_of_a_zone_behind_a_time_is_its_offset(zone: str) -> None:
    moments = read([f"2024-06-01 10:00:00 {zone}".replace(" +", "+")]).moments
    assert moments is not None
    assert moments[0] == micro("2024-06-01T08:00")


def test_a_format_of_a_person_may_hold_words() -> None:
    assert read(["13:00 Uhr am 01.02.2024"], time_format="%H:%M Uhr am %d.%m.%Y").local[0] == micro("2024-02-01T13:00")
    assert read(["01.02.2024 13:00 Uhr"], time_format="%d.%m.%Y %H:%M Uhr").local[0] == micro("2024-02-01T13:00")


def test_a_column_without_any_value_holds_no_times():
    assert not are_times(pl.Series([None, None], dtype=pl.String))


@pytest.mark.parametrize("form", ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%m/%d/%y %I:%M:%S %p"])
def test_times_of_a_few_days_without_gaps_tell_the_order_of_day_and_month(form):
    start = datetime.datetime(2024, 5, 1)
    times = [start + datetime.timedelta(minutes=30 * k) for k in range(300)]
    column = pl.Series("t", [time.strftime(form) for time in times])
    stamps = read_stamps(column, np.zeros(300, dtype=np.int64), source="x.csv", row=lambda at: f"row {at}")
    assert stamps.format == form
    assert "follow each other without gaps" in stamps.notes[0]
    with pytest.raises(DataError, match="every row fits both"):
        read_stamps(column[::60], np.zeros(5, dtype=np.int64), source="x.csv", row=lambda at: f"row {at}")
