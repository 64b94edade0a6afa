"""The formats that times are written in, and which of them a column follows: decided by every row, never row by row.

A format is what strptime takes, with two additions: `%q` is the quarter, and a format without a day (`%Y-%m`,
`%G-W%V`, `%YQ%q`) stands for the first day of what it names, one without minutes for the hour's beginning. Where a
format has a clock, a date alone is midnight, as R writes it, and 24:00 the day's end. A word says what a column of
numbers counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import product

import numpy as np
import polars as pl

from gatework.data._time_words import begins, without_words
from gatework.data._totals import TOTALS
from gatework.errors import DataError
from gatework.formatting import printable

DAY = 86_400_000_000

UNITS = {"seconds": 1e6, "milliseconds": 1e3, "microseconds": 1.0, "nanoseconds": 1e-3, "days": float(DAY)}
"""The words for numbers that count from 1970-01-01, in UTC, and how many microseconds each unit has."""
WORDS = (*UNITS, "excel", "years")
"""Every word that names what a column of numbers counts: "excel" is days since 1899-12-30, "years" are years A.D."""
ALIASES = {"%s": "seconds"}

# The size of today's stamps tells their unit: 1973 to 2286 in seconds, and the like.
_SIZES = {
    "seconds": (1e8, 1e10),
    "milliseconds": (1e11, 1e13),
    "microseconds": (1e14, 1e16),
    "nanoseconds": (1e17, 1e19),
}
# Excel's days of 1980 to 2119; the days since 1970 of those years are smaller.
_EXCEL = (29_221, 80_000)
_EXCEL_EPOCH = int((np.datetime64("1899-12-30") - np.datetime64("1970-01-01")).astype(np.int64)) * DAY
_FIRST_YEAR, _LAST_YEAR = 1500, 2200
# Dates written as one number. Seconds up to 2030 look like hours of before 1900.
_DIGITS = {"%Y%m%d": 8, "%Y%m": 6, "%Y%m%d%H%M%S": 14, "%Y%m%d%H%M": 12, "%Y%m%d%H": 10, "%Y%j": 7, "%G%V": 6}
_FIRST_HOUR = 1900

_DIRECTIVES = {
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
    "%G": r"\d{4}",
    "%g": r"\d{2}",
    "%V": r"\d{1,2}",
    "%u": r"[1-7]",
    "%q": r"[1-4]",
    "%j": r"\d{3}",
    "%m": r"\d{1,2}",
    "%d": r"\d{1,2}",
    "%B": r"[A-Za-z]{3,9}",
    "%A": r"[A-Za-z]{3,9}",
    "%H": r"\d{1,2}",
    "%I": r"\d{1,2}",
    "%M": r"\d{2}",
    "%S": r"\d{2}",
    "%.f": r"(?:\.\d+)?",
    "%p": r"[AaPp][Mm]",
}
_COMPACT = _DIRECTIVES | {"%m": r"\d{2}", "%d": r"\d{2}", "%H": r"\d{2}"}
_CLOCKS = ("%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%I:%M:%S%p", "%I:%M%p", "%H", "%I:%M:%S%.f %p")
_BETWEEN = (" ", "T", ", ")
# As weather models, web servers and SAS write a time of day after a date.
_RARE = ("%Y-%m-%d_%H:%M:%S", "%d/%B/%Y:%H:%M:%S", "%d%B%Y:%H:%M:%S%.f", "%A %B %d %H:%M:%S %Y")
_ORDERS = {
    "%d{s}%m{s}%Y": "day first",
    "%m{s}%d{s}%Y": "month first",
    "%d{s}%m{s}%y": "day first",
    "%m{s}%d{s}%y": "month first",
    "%y{s}%m{s}%d": "year first",
}


# An offset from UTC follows a time of day: the end of 01-01-2023 is none.
OFFSET = r"(?:Z|(?:UTC|GMT)(?:[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{2}(?::?\d{2})?)$"
"""The end of a time that says how far its clock is from UTC."""
WITH_OFFSET = rf"(\d:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?(?:\s?[AaPp][Mm])?|T\d{{4,6}}(?:\.\d+)?)\s?{OFFSET}"
"""A time with such an end, of which the first group is all before it."""

TIME_OF_DAY = r"^\s*\d{1,2}:\d{2}(:\d{2})?(\s?[AaPp][Mm])?\s*$"
"""A time without its day."""

# The texts that show whether a column holds times, and how long the longest time is that anybody writes.
_LOOKED_AT, _FEW, _LONGEST = 1000, 5, 50
# Read in the wrong order, the days of a week are of as many months.
_FEW_GAPS, _MANY_GAPS, _FEWEST_TIMES = 1.5, 5.0, 20
_PERIODS = {"%Y", "%m", "%q", "%G", "%g", "%V"}


@dataclass(frozen=True)
class Parsed:
    """A column of texts, read.

    Attributes:
        stamps: Datetimes.
        format: The format that reads every row.
        notes: What was decided, one sentence each.
    """

    stamps: pl.Series
    format: str
    notes: tuple[str, ...] = ()


def _dates() -> Iterator[str]:
    for s in "-/. ":
        yield f"%Y{s}%m{s}%d"
    for order, s in product(_ORDERS, "/-."):
        if s != "." or order.startswith("%d"):
            yield order.format(s=s)
    for s, year in product(("-", " ", "/", ". ", "."), ("%Y", "%y")):
        yield f"%d{s}%B{s.removeprefix('.') if ' ' in s else s}{year}"
    for year in ("%Y", "%y"):
        yield from (f"%B %d, {year}", f"%B %d {year}", f"%B-%d-{year}", f"%A, %d %B {year}", f"%A %d %B {year}")
        yield from (f"%A %B %d {year}", f"%A, %B %d, {year}")
    yield from ("%Y-%B-%d", "%d%B%Y", "%G-W%V-%u", "%Y-%j")


def _weeks() -> Iterator[str]:
    """Weeks of ISO 8601, also as KW, CW, Week: 2020-W53, KW53/2020, 53. KW 2020, Week 53, 2020."""
    for word, s, year in product(_WEEK_WORDS, ("-", "", " ", "/", "_", "."), ("%G", "%g")):
        if year == "%G":
            yield from (f"%G{s}{word}%V", f"%G{s}{word} %V")
        if s:
            yield from (f"{word}{between}%V{s}{year}" for between in ("", " ", "-"))
            yield from (f"%V{dot}{word}{s}{year}" for dot in (".", ". ", " ", ""))
    yield from (f"{word} %V, %G" for word in _WEEK_WORDS)


# Numbers of weeks alone, where no month fits.
_WITHOUT_WORD = tuple(f"{a}{s}{b}" for a, b in (("%V", "%G"), ("%G", "%V")) for s in ("/", "-", " ", "."))
_WEEK_WORDS = ("W", "w", "KW", "kw", "Kw", "CW", "cw", "WK", "Wk", "wk", "Week", "week", "Woche")


@cache
def _candidates() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Every format that is tried where none is named, with the texts that it may read."""
    patterns = list(_dates())
    dated = [f"{date}{between}{clock}" for date, clock in product(patterns, _CLOCKS) for between in _BETWEEN]
    months = [f"%Y{s}%m" for s in ("-", "/", ".", " ")] + [f"%m{s}%Y" for s in ("-", "/", ".", " ")]
    months += [f"%B{s}{year}" for s in (" ", "-", "/", ", ") for year in ("%Y", "%y")] + ["%Y %B", "%Y-%B", "%YM%m"]
    quarters = [f"%Y{s}Q%q" for s in ("", "-", " ", "/", ":")] + [f"Q%q{s}%Y" for s in ("", "-", " ", "/")]
    quarters += [f"{quarter} %Y" for quarter in ("%q. Quartal", "%q.Quartal", "Quartal %q", "%q. Quarter", "%qQ")]
    compact = ["%Y%m%d", "%Y%m%dT%H%M%S", "%Y%m%dT%H%M", "%Y%m%d %H%M%S", "%Y%m%d %H%M", "%Y%m%d %H:%M:%S%.f"]
    compact += ["%Y%m%d %H:%M", "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m", "%d%m%Y", "%m%d%Y"]
    loose = [
        (_regex(pattern, _DIRECTIVES), pattern)
        for pattern in (*patterns, *dated, *_RARE, *months, *quarters, *_weeks())
    ]
    return (*loose, *((_regex(pattern, _COMPACT), pattern) for pattern in (*compact, "%Y")))


def _regex(pattern: str, directives: dict[str, str]) -> re.Pattern[str]:
    parts = re.split(r"(%\.f|%[A-Za-z])", pattern)
    return re.compile("".join(directives[part] if part in directives else re.escape(part) for part in parts))


def are_times(texts: pl.Series) -> bool:
    """Whether texts are times, as far as the first few that differ show: each is in one of the formats."""
    few = without_words(tidied(texts.head(_LOOKED_AT).drop_nulls().unique(maintain_order=True).head(_FEW)))
    spans = begins(few, None)
    few = (spans[0] if spans else few).str.replace(WITH_OFFSET, "${1}")
    if few.is_empty() or not (few.str.contains(r"\d") & (few.str.len_chars() < _LONGEST)).all():
        return False
    return all(any(regex.fullmatch(text) for regex, _ in _candidates()) for text in few)


def tidied(column: pl.Series) -> pl.Series:
    """The texts with single plain spaces, a point before fractions of a second, AM or PM without points, and Sep."""
    tidy = column.str.replace_all(r"[\s\x{A0}\x{202F}]+", " ").str.strip_chars(" ")
    tidy = tidy.str.replace(r"(\d:\d{2}:\d{2}),(\d+)", "${1}.${2}")
    return tidy.str.replace(r"([AaPp])\.\s?[Mm]\.?$", "${1}M").str.replace(r"(?i)\b(sep)t\b", "${1}")


def parsed(column: pl.Series, pattern: str) -> pl.Series:
    """The stamps of tidied texts in one format, missing where a text is not in it, microseconds."""
    # Python's strptime has %f for a fraction of a second.
    pattern = pattern.replace(".%f", "%.f")
    if "%q" in pattern:
        return _quarters(column, pattern)
    if not re.search(r"%[HIMSpTRXc]", pattern):
        return _days(column, pattern)
    if re.search(r"%[HI]", pattern) and "%M" not in pattern:
        pattern, column = pattern + "|%M", column + "|00"
    stamps = _times(column, pattern)
    if stamps.null_count():
        ends = column.str.contains(_DAY_END)
        at_start = column.filter(ends).str.replace(_DAY_END, "${1}00:00${2}")
        stamps = stamps.scatter(ends.arg_true(), _times(at_start, pattern) + timedelta(days=1))
    date = re.match(r"(.*%[Ydy])(?:, |[ T])%[HI]", pattern)
    if stamps.null_count() and date:
        stamps = stamps.fill_null(_days(column, date[1]))
    return stamps


_DAY_END = r"([ T])24:00((?::00(?:\.0+)?)?)$"


def _times(column: pl.Series, pattern: str) -> pl.Series:
    stamps = column.str.to_datetime(pattern, time_unit="us", strict=False, ambiguous="null")
    return _of_four_digits(stamps)


def _days(column: pl.Series, pattern: str) -> pl.Series:
    has_day = re.search(r"%[djuwaAFDxe]", pattern) is not None and not re.search(r"%[aA](?!.*%[dj])", pattern)
    if not has_day:
        tail = (
            (" %u", " 1")
            if "%V" in pattern
            else (" %d", " 01")
            if re.search(r"%[mBbh]", pattern)
            else (" %m %d", " 01 01")
        )
        pattern, column = pattern + tail[0], column + tail[1]
    return _of_four_digits(column.str.to_date(pattern, strict=False).cast(pl.Datetime("us")))


def _of_four_digits(stamps: pl.Series) -> pl.Series:
    # A year of two digits is read by %y alone: %Y would take 23 for the year 23 A.D.
    return stamps.set(stamps.dt.year() < 1000, None)


def written(stamps: pl.Series, pattern: str | None) -> list[str]:
    """Stamps as texts: years, quarters, months and weeks as a table has them that names no day; else as ISO 8601.

    Args:
        stamps: Dates or datetimes, of which none is missing.
        pattern: The format that the table was read by.
    """
    pattern = "%Y" if pattern == "years" else pattern or ""
    directives, texts = set(re.findall("%.", pattern)), list[str]()
    if directives and directives <= _PERIODS:
        texts = [stamp.strftime(pattern.replace("%q", str((stamp.month + 2) // 3))) for stamp in stamps]
    # Steps shorter than what the format names would read alike.
    return texts if len(set(texts)) == len(stamps) else [stamp.isoformat() for stamp in stamps]


def _quarters(column: pl.Series, pattern: str) -> pl.Series:
    groups = {"%Y": r"(?<year>\d{4})", "%q": r"(?<quarter>[1-4])"}
    parts = re.split(r"(%[A-Za-z])", pattern)
    fields = column.str.extract_groups("^" + "".join(groups.get(part, re.escape(part)) for part in parts) + "$")
    year, quarter = (fields.struct.field(name).cast(pl.Int32) for name in ("year", "quarter"))
    frame = pl.DataFrame({"year": year, "month": quarter * 3 - 2})
    return frame.select(pl.datetime("year", "month", 1, time_unit="us").alias(column.name)).to_series()


def decided(column: pl.Series, where: str, row: Callable[[int], str], said: pl.Series | None = None) -> Parsed:
    """The texts in the one format that reads all of them.

    Args:
        column: Tidied texts, none missing.
        said: The texts as the table has them, for messages.
        where: The table and its column, for messages.
        row: Names a row, given its position.

    Raises:
        DataError: No format reads every row, or two do and say different things.
    """
    # Of dates with and without a clock the format is that of the more, as one clock among dates is a mistake.
    has_clock = column.str.contains(":")
    first = str(column[int((has_clock if 2 * has_clock.sum() >= len(column) else ~has_clock).arg_max() or 0)])
    patterns = [pattern for regex, pattern in _candidates() if regex.fullmatch(first)]
    tried = {pattern: parsed(column, pattern) for pattern in patterns}
    if all(stamps.null_count() for stamps in tried.values()) and not _are_seasons(column):
        weeks = (pattern for pattern in _WITHOUT_WORD if _regex(pattern, _DIRECTIVES).fullmatch(first))
        tried |= {pattern: parsed(column, pattern) for pattern in weeks}
    whole = {pattern: stamps for pattern, stamps in tried.items() if not stamps.null_count()}
    if not whole:
        raise _unreadable(column if said is None else said, tried, where, row)
    pattern, stamps = next(iter(whole.items()))
    other = next((p for p, s in whole.items() if not s.equals(stamps)), None)
    dense = next((p for p, s in whole.items() if other and ":" in p and _gaps(s) < _FEW_GAPS), None)
    if dense and all(s.equals(whole[dense]) or _gaps(s) > _MANY_GAPS for s in whole.values()):
        note = f"{where} was read as {dense}, {_order(dense)}: so read its times follow each other without gaps."
        return Parsed(whole[dense], dense, (note,))
    if other is not None:
        raise DataError(
            f'{where}: "{first}" may be {pattern} or {other}, and every row fits both; '
            f'say which by --time-format "{pattern}"'
        )
    notes = _notes(where, pattern, {p: s for p, s in tried.items() if p not in whole})
    alone = len(column) - int(has_clock.sum()) if ":" in pattern else 0
    if alone:
        rows = f"{alone:,} rows have" if alone > 1 else "1 row has"
        notes = (*notes, f"{where}: {rows} a date alone, which was read as midnight.")
    return Parsed(stamps, pattern, notes)


def _gaps(stamps: pl.Series) -> float:
    """How many times as long as without gaps a span of times is; infinite where it cannot be said of so few."""
    times = stamps.unique().sort()
    step = times.diff().median()
    if len(times) < _FEWEST_TIMES or not isinstance(step, timedelta) or not step:
        return float("inf")
    return float((times[-1] - times[0]) / ((len(times) - 1) * step))


def _are_seasons(column: pl.Series) -> bool:
    """Whether texts name two years that follow each other, as 2019/20, which is no week 20."""
    years = column.str.extract_groups(r"^(\d{2})(\d{2})[-/ .](\d{2})$")
    first, second = (years.struct.field(name).cast(pl.Int64) for name in "23")
    return bool(((first + 1) % 100 == second).fill_null(False).all())


def _notes(where: str, pattern: str, refuted: dict[str, pl.Series]) -> tuple[str, ...]:
    order, notes = _order(pattern), []
    if order and refuted:
        rows = min(stamps.null_count() for stamps in refuted.values())
        by = f"{rows:,} row{'s decide' if rows > 1 else ' decides'} it"
        notes.append(f"{where} was read as {pattern}, {order}: {by}.")
    elif order:
        notes.append(f"{where} was read as {pattern}, {order}.")
    if "%y" in pattern or "%g" in pattern:
        notes.append(f"{where} has years of two digits, which were read as 1969 to 2068.")
    if pattern in _WITHOUT_WORD:
        notes.append(f"{where} was read as {pattern}, ISO weeks, as no month fits.")
    return tuple(notes)


def _order(pattern: str) -> str | None:
    """What is said of a format whose fields might have another order."""
    fields = re.findall(r"%[YymdB]", pattern)
    if len(fields) < 3 or "%B" in fields or fields[0] == "%Y" or "%d.%m." in pattern:
        return None
    return {"%d": "day first", "%y": "year first"}.get(fields[0], "month first")


def _unreadable(column: pl.Series, tried: dict[str, pl.Series], where: str, row: Callable[[int], str]) -> DataError:
    at = 0
    if tried:
        best = min(tried.values(), key=lambda stamps: stamps.null_count())
        at = int(best.is_null().arg_max() or 0)
    if TOTALS.fullmatch(column[at].strip()):
        return DataError(
            f'{where}: {row(at)} is "{column[at]}", a row of totals, where a date or time was expected; remove that '
            "row and others like it"
        )
    text = _shown(column[at])
    edge = {0: "remove the row if it describes the columns, ", len(column) - 1: "remove the row if it is a footer, "}
    way = edge.get(at, "") if not re.search(r"\d", text) else ""
    return DataError(
        f'{where}: {row(at)} is "{text}", expected a date or time such as 2024-01-31 or 2024-01-31 13:00; {way}mend '
        f"the row, or name the format by --time-format (as %d.%m.%Y %H:%M, or one of {', '.join(WORDS)} for numbers)"
    )


def _shown(text: str) -> str:
    return printable(text if len(text) <= _LONGEST else text[:_LONGEST] + "...")


def number_kind(values: np.ndarray) -> str | None:
    """What numbers, shape (rows,), count: a word, the format of the digits, or None where their size does not tell."""
    low, high = float(values.min()), float(values.max())
    is_whole = bool((values == np.floor(values)).all())
    if is_whole:
        for pattern, digits in _DIGITS.items():
            if low >= 10 ** (digits - 1) and high < 10**digits and _is_calendar(values, pattern):
                return pattern
    if low >= _FIRST_YEAR and high < _LAST_YEAR:
        return "years"
    if low >= _EXCEL[0] and high < _EXCEL[1]:
        return "excel"
    return next((unit for unit, (least, most) in _SIZES.items() if low >= least and high < most), None)


def _is_calendar(values: np.ndarray, pattern: str) -> bool:
    stamps = parsed(pl.Series("time", values.astype(np.int64)).cast(pl.String), pattern)
    years, first = stamps.dt.year(), _FIRST_HOUR if pattern == "%Y%m%d%H" else _FIRST_YEAR
    return not stamps.null_count() and bool(((years >= first) & (years < _LAST_YEAR)).all())


def from_numbers(values: np.ndarray, word: str) -> np.ndarray | None:
    """Microseconds since 1970, int64, of numbers of any shape that count what a word says; None where they cannot.

    A year with a fraction is a month where twelfths fit, its beginning (1950.083) or its middle (1950.042).
    """
    if word == "years":
        return _years(values)
    unit, start = (float(DAY), _EXCEL_EPOCH) if word == "excel" else (UNITS[word], 0)
    with np.errstate(over="ignore", invalid="ignore"):
        microseconds = values * unit + start
    # Excel's days are floats: whole milliseconds are all that they can hold.
    microseconds = np.round(microseconds / 1000) * 1000 if word == "excel" else np.round(microseconds)
    is_within = np.abs(microseconds) < 2.5e17
    return microseconds.astype(np.int64) if is_within.all() else None


def _years(values: np.ndarray) -> np.ndarray | None:
    year = np.floor(values)
    twelfths = (values - year) * 12
    if not ((values >= 1) & (values < 9999)).all():
        return None
    if (np.abs(twelfths - np.round(twelfths)) < 0.05).all():
        month = np.round(twelfths)
    elif (np.abs(twelfths - np.floor(twelfths) - 0.5) < 0.1).all():
        month = np.floor(twelfths)
    else:
        return None
    months = ((year - 1970) * 12 + month).astype(np.int64).astype("datetime64[M]")
    return months.astype("datetime64[us]").astype(np.int64)
