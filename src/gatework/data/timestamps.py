"""A time column as a person wrote it, to microseconds: formats, time zones, changes of the clocks."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from gatework.data._time_words import begins, without_words
from gatework.data.numbers import MISSING_WORDS, as_texts
from gatework.data.reading import Reading
from gatework.data.time_formats import (
    ALIASES,
    OFFSET,
    WITH_OFFSET,
    WORDS,
    Parsed,
    decided,
    from_numbers,
    number_kind,
    parsed,
    tidied,
)
from gatework.errors import DataError, UsageError

_DIGITS = r"^[+-]?\d+(?:\.\d*)?(?:[eE]\+?\d+)?$"
# Excel's days, and seconds, with their fractions.
_DECIMAL_COMMA = r"^\d{5,},\d+$"
_EARLIEST, _LATEST = (int(np.datetime64(f"{year}-01-01", "us").astype(np.int64)) for year in (1000, 9999))
_YEAR_AND_MONTH = r"^\d{4}\.(?:0[1-9]|1[0-2])$"


@dataclass(frozen=True)
class Stamps:
    """A time column, read.

    Attributes:
        local: Microseconds since 1970 on the clock that the column was written with, int64.
        moments: Microseconds since 1970 in UTC, int64; None where the column names no zone.
        zone: The zone that `local` is of, such as "Europe/Berlin" or "UTC"; None where none is known.
        notes: What was assumed, one sentence each.
        format: The format or word that every row was read by; None for a column of dates.
    """

    local: np.ndarray
    moments: np.ndarray | None
    zone: str | None
    notes: tuple[str, ...] = ()
    format: str | None = None


def read_stamps(
    column: pl.Series,
    codes: np.ndarray,
    *,
    source: str,
    row: Callable[[int], str],
    reading: Reading | None = None,
    is_kept: bool = False,
) -> Stamps:
    """Reads a time column.

    Args:
        column: Dates, datetimes, texts, or numbers: years, dates such as 20240131, or a count since 1970.
        codes: The series of each row, shape (rows,): in a repeated hour the second of two equal stamps of one series
            is the later moment.
        source: The file, for messages.
        row: Names a row, given its position.
        reading: The format, decided from every row if None, and the zone of stamps that name none.
        is_kept: Whether the format is what a training table decided, so that dates that begin with the year are read
            as well.

    Raises:
        DataError: A value is missing or is no time; the format is ambiguous; a stamp does not exist in the zone.
        UsageError: There is no such zone.
    """
    reading = reading or Reading()
    where, zone = f'{source}, column "{column.name}"', reading.time_zone
    if zone is not None and zone not in zoneinfo.available_timezones():
        raise UsageError(f'there is no time zone "{zone}"; expected a name such as Europe/Berlin or UTC')
    is_text = not (column.dtype.is_temporal() or column.dtype.is_numeric())
    if is_text:
        column = tidied(as_texts(column, where))
    missing = (column.is_null() | column.is_in(list(MISSING_WORDS)) if is_text else column.is_null()).to_numpy()
    if missing.any():
        raise DataError(f"{where}: {row(int(np.argmax(missing)))} has no time; give every row one or remove the row")
    stamps = _Reader(where, row, zone, is_kept).stamps(column, reading.time_format)
    outside = (stamps.local < _EARLIEST) | (stamps.local >= _LATEST)
    if outside.any():
        at = int(np.argmax(outside))
        raise DataError(f"{where}: {row(at)} is {column[at]}, expected a time in the years 1000 to 9998")
    if zone is None or stamps.moments is not None:
        return stamps
    return replace(stamps, moments=_in_zone(stamps.local, codes, where, row, zone), zone=zone)


@dataclass(frozen=True)
class _Reader:
    """What names a column in messages, and how its stamps are meant."""

    where: str
    row: Callable[[int], str]
    zone: str | None
    is_kept: bool
    texts: pl.Series | None = None

    def stamps(self, column: pl.Series, pattern: str | None) -> Stamps:
        pattern = ALIASES.get(pattern, pattern) if pattern else None
        if column.dtype.is_temporal():
            return _from_datetimes(column, self.where, self.zone)
        if column.dtype.is_numeric():
            return self._from_numbers(column, pattern)
        if column.str.contains(_DECIMAL_COMMA).all():
            column = column.str.replace(",", ".", literal=True)
        is_number = bool(column.str.contains(_DIGITS).all())
        if pattern in WORDS or (pattern is None and is_number and not column.str.contains(_YEAR_AND_MONTH).all()):
            numbers = column.cast(pl.Float64, strict=False)
            if pattern is None and number_kind(numbers.to_numpy()) is None and column.str.contains(r"^0\d+$").any():
                return self._from_texts(column, None)
            if not numbers.null_count():
                return self._from_numbers(numbers, pattern)
        return self._from_texts(column, pattern)

    def _from_texts(self, column: pl.Series, pattern: str | None) -> Stamps:
        reader, plain = replace(self, texts=column), without_words(column)
        if pattern is not None and plain is not column:
            try:
                return reader._from_spans(column, pattern)
            except DataError:
                pass
        return reader._from_spans(plain, pattern)

    def _from_spans(self, column: pl.Series, pattern: str | None) -> Stamps:
        spans = begins(column, pattern)
        if spans is None:
            return self._from_plain(column, pattern)
        first, start, rest = spans
        stamps = self._from_plain(first, start)
        note = f'{self.where} names spans of time, such as "{column[0]}", whose beginnings were taken.'
        notes = stamps.notes if pattern else (*stamps.notes, note)
        ends = "" if "%" in rest else stamps.format or ""
        return replace(stamps, format=f"{stamps.format}{rest}{ends}", notes=notes)

    def _from_plain(self, column: pl.Series, pattern: str | None) -> Stamps:
        has_offset = column.str.contains(WITH_OFFSET)
        if pattern is None or "%z" not in pattern:
            if has_offset.all():
                return self._with_offsets(column, pattern)
            if has_offset.any():
                at = int((~has_offset).arg_max() or 0)
                raise DataError(
                    f'{self.where}: {self.row(at)} is "{column[at]}" without an offset from UTC, other rows have one; '
                    "write every row in the same way"
                )
        stamps = self._parsed(column, pattern)
        local = stamps.stamps.cast(pl.Datetime("us")).cast(pl.Int64).to_numpy()
        if pattern is not None and "%z" in pattern:
            return Stamps(_clock(local, self.zone) if self.zone else local, local, self.zone or "UTC", (), pattern)
        return Stamps(local, None, None, stamps.notes, stamps.format)

    def _parsed(self, column: pl.Series, pattern: str | None) -> Parsed:
        if pattern is None:
            return decided(column, self.where, self.row, self.texts)
        try:
            stamps = parsed(column, pattern) if pattern not in WORDS else pl.repeat(None, len(column), eager=True)
        except pl.exceptions.PolarsError as error:
            reason = str(error).splitlines()[0]
            raise UsageError(
                f'the time format "{pattern}" cannot be used ({reason}); give one such as %d.%m.%Y'
            ) from None
        if not stamps.null_count():
            return Parsed(stamps, pattern)
        if self.is_kept and column.str.contains(r"^\d{4}-").all():
            return decided(column, self.where, self.row, self.texts)
        at = int(stamps.is_null().arg_max() or 0)
        kept = ", which the training table decided" if self.is_kept else ""
        raise DataError(
            f'{self.where}: {self.row(at)} is "{column[at] if self.texts is None else self.texts[at]}", expected the '
            f'format "{pattern}"{kept}; mend the row or '
            "name the format by --time-format"
        )

    def _with_offsets(self, column: pl.Series, pattern: str | None) -> Stamps:
        plain = self._parsed(column.str.replace(r"\s?" + OFFSET, ""), pattern)
        local = plain.stamps.cast(pl.Int64).to_numpy()
        offsets = pl.DataFrame({"o": column.str.extract(f"({OFFSET})")})
        hours, minutes = (
            pl.col("o").str.extract(r"[+-](\d{1,2}):?(\d{2})?$", at).cast(pl.Int64, strict=False).fill_null(0)
            for at in (1, 2)
        )
        sign = pl.when(pl.col("o").str.contains("-", literal=True)).then(-1).otherwise(1)
        shift = offsets.select(sign * (hours * 60 + minutes)).to_series().to_numpy() * 60_000_000
        moments = local - shift
        if self.zone is not None:
            return Stamps(_clock(moments, self.zone), moments, self.zone, plain.notes, plain.format)
        if (shift == 0).all():
            return Stamps(moments, moments, "UTC", plain.notes, plain.format)
        note = (
            f"{self.where} has offsets from UTC and names no zone: dates are those written, times are answered in UTC."
        )
        return Stamps(local, moments, "UTC", (*plain.notes, note), plain.format)

    def _from_numbers(self, column: pl.Series, word: str | None) -> Stamps:
        values = column.cast(pl.Float64).to_numpy()
        if not np.isfinite(values).all():
            raise DataError(f"{self.where}: {self.row(int(np.argmax(~np.isfinite(values))))} is no time")
        kind = word or number_kind(values)
        if kind is not None and kind not in WORDS and np.abs(values).max() < 1e18:
            texts = pl.Series(column.name, values.astype(np.int64)).cast(pl.String)
            return replace(self._from_texts(texts, kind), notes=self._said(word, f"dates such as {texts[0]}"))
        local = from_numbers(values, kind) if kind in WORDS else None
        if local is None:
            raise DataError(
                f"{self.where}: {self.row(0)} is {values[0]:.15g}, and numbers like it may be "
                f"{f'no {kind}' if kind else 'anything'}; write dates such as 2024-01-31, or say what they are by "
                f"--time-format ({', '.join(WORDS)}, or a format such as %Y%m%d)"
            )
        if kind == "excel":
            return Stamps(local, None, None, self._said(word, "Excel's days since 1899-12-30"), kind)
        if kind == "years":
            return Stamps(local, None, None, self._said(word, "years"), kind)
        said = self._said(word, f"{kind} since 1970-01-01, in UTC")
        return Stamps(_clock(local, self.zone) if self.zone else local, local, self.zone or "UTC", said, kind)

    def _said(self, word: str | None, what: str) -> tuple[str, ...]:
        return () if word else (f"{self.where} was read as {what}.",)


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
