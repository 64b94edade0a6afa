"""A time column as a person wrote it, to microseconds: formats, time zones, changes of the clocks."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from gatework.errors import DataError, UsageError

MISSING_WORDS = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "none", "-", "?")

# Tried in this order; the first that reads every value is taken. Fractions of a second are read everywhere.
_FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M",
    "%Y%m%d",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M:%S%.f",
    "%d.%m.%Y %H:%M",
)
# A pair reads the same values with day and month exchanged.
_AMBIGUOUS = tuple(
    (f"%d{sep}%m{sep}%Y{clock}", f"%m{sep}%d{sep}%Y{clock}")
    for sep in "/-"
    for clock in ("", " %H:%M:%S%.f", " %H:%M", " %I:%M:%S %p", " %I:%M %p")
)
_OFFSET = r"\s?(?:Z|[+-]\d{2}:?\d{2})$"
_YEARS = (1000, 3000)
_MILLISECONDS_FROM = 100_000_000_000


@dataclass(frozen=True)
class Stamps:
    """A time column, read.

    Attributes:
        local: Microseconds since 1970 on the clock that the column was written with, int64.
        moments: Microseconds since 1970 in UTC, int64; None where the column names no zone.
        zone: The zone that `local` is of, such as "Europe/Berlin" or "UTC"; None where none is known.
        notes: What was assumed, one sentence each.
    """

    local: np.ndarray
    moments: np.ndarray | None
    zone: str | None
    notes: tuple[str, ...] = ()


def read_stamps(
    column: pl.Series,
    codes: np.ndarray,
    *,
    source: str,
    row: Callable[[int], str],
    pattern: str | None = None,
    zone: str | None = None,
) -> Stamps:
    """Reads a time column.

    Args:
        column: Dates, datetimes, texts, years, or seconds or milliseconds since 1970.
        codes: The series of each row, shape (rows,): in a repeated hour the second of two equal stamps of one series
            is the later moment.
        source: The file, for messages.
        row: Names a row, given its position.
        pattern: The format, as in strptime; tried out if None.
        zone: The zone of stamps that name none.

    Raises:
        DataError: A value is missing or is no time; the format is ambiguous; a stamp does not exist in the zone.
        UsageError: There is no such zone.
    """
    where = f'{source}, column "{column.name}"'
    if zone is not None and zone not in zoneinfo.available_timezones():
        raise UsageError(f'there is no time zone "{zone}"; expected a name such as Europe/Berlin or UTC')
    if column.dtype == pl.String:
        column = column.str.strip_chars()
        missing = (column.is_null() | column.is_in(list(MISSING_WORDS))).to_numpy()
    else:
        missing = column.is_null().to_numpy()
    if missing.any():
        raise DataError(f"{where}: {row(int(np.argmax(missing)))} has no time; give every row one or remove the row")
    if column.dtype == pl.String:
        found = _from_text(column, where, row, pattern, zone)
    elif column.dtype.is_temporal():
        found = _from_datetimes(column, where, zone)
    elif column.dtype.is_numeric():
        found = _from_numbers(column, where, row, zone)
    else:
        raise DataError(f"{where} holds {column.dtype}, expected dates or times")
    if zone is None or found.moments is not None:
        return found
    return replace(found, moments=_in_zone(found.local, codes, where, row, zone), zone=zone)


def _from_text(
    column: pl.Series, where: str, row: Callable[[int], str], pattern: str | None, zone: str | None
) -> Stamps:
    notes: tuple[str, ...] = ()
    if pattern is not None:
        parsed = _parse(column, pattern)
        if parsed.null_count():
            raise _unreadable(column, parsed, where, row, f'the format "{pattern}"')
    else:
        offsets = column.str.extract(f"({_OFFSET})")
        if not offsets.null_count():
            return _with_offsets(column, where, row, zone)
        if 0 < offsets.null_count() < len(column):
            at = int(offsets.is_null().arg_max() or 0)
            raise DataError(
                f'{where}: {row(at)} is "{column[at]}" without an offset from UTC, other rows have one; '
                "write every row in the same way"
            )
        parsed, notes = _try_formats(column, where, row)
    return Stamps(parsed.cast(pl.Int64).to_numpy(), None, None, notes)


def _with_offsets(column: pl.Series, where: str, row: Callable[[int], str], zone: str | None) -> Stamps:
    plain = column.str.replace(_OFFSET, "")
    parsed, notes = _try_formats(plain, where, row)
    local = parsed.cast(pl.Int64).to_numpy()
    sign = pl.when(pl.col("o").str.starts_with("-")).then(-1).otherwise(1)
    digits = pl.col("o").str.replace_all(r"[^0-9]", "")
    minutes = digits.str.slice(0, 2).cast(pl.Int64, strict=False) * 60 + digits.str.slice(2, 2).cast(
        pl.Int64, strict=False
    )
    offsets = pl.DataFrame({"o": column.str.extract(f"({_OFFSET})").str.strip_chars()})
    shift = offsets.select((sign * minutes).fill_null(0)).to_series().to_numpy() * 60_000_000
    moments = local - shift
    if zone is not None:
        return Stamps(_clock(moments, zone), moments, zone, notes)
    if (shift == 0).all():
        return Stamps(moments, moments, "UTC", notes)
    note = f"{where} has offsets from UTC and names no zone: dates are those written, times are answered in UTC."
    return Stamps(local, moments, "UTC", (*notes, note))


def _try_formats(column: pl.Series, where: str, row: Callable[[int], str]) -> tuple[pl.Series, tuple[str, ...]]:
    best = None
    if column.str.contains(r"^\d{4}$").all():
        return _parse(column + "-01-01", "%Y-%m-%d"), ()
    if column.str.contains(r"^\d{4}[-/]\d{1,2}$").all():
        return _parse(column.str.replace("/", "-") + "-01", "%Y-%m-%d"), ()
    for pattern in _FORMATS:
        parsed = _parse(column, pattern)
        if not parsed.null_count():
            return parsed, ()
        best = parsed if best is None or parsed.null_count() < best.null_count() else best
    for pair in _AMBIGUOUS:
        found = [_parse(column, pattern) for pattern in pair]
        fits = [not parsed.null_count() for parsed in found]
        if all(fits) and not found[0].equals(found[1]):
            raise DataError(
                f'{where}: "{column[0]}" may be {pair[0]} or {pair[1]}, and every row fits both; '
                f'say which by --time-format "{pair[0]}"'
            )
        if any(fits):
            return found[fits.index(True)], (f"{where} was read as {pair[fits.index(True)]}.",)
        best = min([best, *found], key=lambda parsed: parsed.null_count() if parsed is not None else len(column))
    assert best is not None
    raise _unreadable(column, best, where, row, "a date or time such as 2024-01-31 or 2024-01-31 13:00")


def _parse(column: pl.Series, pattern: str) -> pl.Series:
    if re.search(r"%[HIMSpT]", pattern):
        return column.str.to_datetime(pattern, time_unit="us", strict=False)
    return column.str.to_date(pattern, strict=False).cast(pl.Datetime("us"))


def _unreadable(
    column: pl.Series, parsed: pl.Series, where: str, row: Callable[[int], str], expected: str
) -> DataError:
    at = int(parsed.is_null().arg_max() or 0)
    return DataError(
        f'{where}: {row(at)} is "{column[at]}", expected {expected}; mend the row or name the format by --time-format'
    )


def _from_datetimes(column: pl.Series, where: str, zone: str | None) -> Stamps:
    if column.dtype == pl.Date:
        column = column.cast(pl.Datetime("us"))
    if not isinstance(column.dtype, pl.Datetime):
        raise DataError(f"{where} holds {column.dtype}, expected dates or times")
    known = column.dtype.time_zone
    if known is None:
        return Stamps(column.cast(pl.Datetime("us")).cast(pl.Int64).to_numpy(), None, None)
    moments = column.dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC")).cast(pl.Int64).to_numpy()
    return Stamps(_clock(moments, zone or known), moments, zone or known)


def _from_numbers(column: pl.Series, where: str, row: Callable[[int], str], zone: str | None) -> Stamps:
    values = column.cast(pl.Float64).to_numpy()
    if not np.isfinite(values).all():
        raise DataError(f"{where}: {row(int(np.argmax(~np.isfinite(values))))} is no time")
    if (values == np.floor(values)).all() and values.min() >= _YEARS[0] and values.max() < _YEARS[1]:
        years = (values.astype(np.int64) - 1970).astype("datetime64[Y]")
        return Stamps(years.astype("datetime64[us]").astype(np.int64), None, None)
    unit, name = (1000, "milliseconds") if np.abs(values).max() >= _MILLISECONDS_FROM else (1_000_000, "seconds")
    moments = np.round(values * unit).astype(np.int64)
    note = f"{where} was read as {name} since 1970-01-01, in UTC."
    return Stamps(_clock(moments, zone) if zone else moments, moments, zone or "UTC", (note,))


def _in_zone(local: np.ndarray, codes: np.ndarray, where: str, row: Callable[[int], str], zone: str) -> np.ndarray:
    """The moments, in UTC, of a local clock's stamps."""
    naive = pl.Series(local).cast(pl.Datetime("us"))
    early = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    if early.null_count():
        at = int(early.is_null().arg_max() or 0)
        raise DataError(
            f"{where}: {row(at)} is {naive[at]}, an hour that the change of clocks in {zone} leaves out; "
            "mend the row or name another --time-zone"
        )
    late = naive.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    first, second = (s.dt.convert_time_zone("UTC").cast(pl.Int64).to_numpy() for s in (early, late))
    is_again = pl.DataFrame({"code": codes, "local": local}).select(~pl.struct(pl.all()).is_first_distinct())
    return np.where((first != second) & is_again.to_series().to_numpy(), second, first)


def _clock(moments: np.ndarray, zone: str) -> np.ndarray:
    """The local clock's microseconds at moments in UTC."""
    there = pl.Series(moments).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    return there.dt.replace_time_zone(None).cast(pl.Int64).to_numpy()
