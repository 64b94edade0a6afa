"""Numbers, labels and ids as people and programs write them: decimal marks, missing values, 1 beside 1.0."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from gatework.data.reading import Reading
from gatework.errors import DataError

MISSING_WORDS = frozenset(
    ("", "NA", "na", "N/A", "n/a", "NaN", "NAN", "nan", "-nan", "NaT", "null", "NULL", "Null", "None", "none", "<NA>")
    # Of spreadsheets, SAS and Windows.
    + (
        "#N/A",
        "#NA",
        "#NV",
        "#N/D",
        "#VALUE!",
        "#WERT!",
        "#DIV/0!",
        "#REF!",
        "#NUM!",
        "#NULL!",
        ".",
        "1.#IND",
        "-1.#IND",
    )
    # Of people: "keine Angabe", "sin datos", "non disponible".
    + (
        "unavailable",
        "No Data",
        "no data",
        "NoData",
        "k.A.",
        "k. A.",
        "s/d",
        "S/D",
        "n.d.",
        "-",
        "--",
        "---",
        "–",
        "—",
        "-%",
        "- %",
        "?",
    )
)
"""What stands for a value that is not there."""
LARGEST = 1e30
"""The largest number that is taken: networks compute in float32, which ends at 3.4e38, with room for their weights."""

# Decimal mark and thousands mark, the likelier first. A blank is any of the spaces that are printed between thousands.
_STYLES = ((".", ""), (",", ""), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'"))
_BLANKS = r"\s\x{A0}\x{2007}\x{2009}\x{202F}"
_MARKS = {"": "", ",": ",", ".": r"\.", " ": f"[{_BLANKS}]", "'": "['’]"}
_BOOLEANS = {"true": "1", "false": "0"}


# What spreadsheets write beside a number: a currency, also with its country before it (US$), or a percent sign.
CURRENCY_CODES = (
    "EUR USD GBP CHF JPY CNY KRW INR PLN CZK HUF RON BGN SEK NOK DKK ISK TRY RUB UAH ILS ZAR BRL MXN CAD AUD NZD HKD "
    "SGD"
)
_CURRENCY = rf"(?:[A-Z]{{0,2}}\p{{Sc}}|\b(?:{CURRENCY_CODES.replace(' ', '|')}|Kč|zł|Ft|lei|Fr\.|Rs\.?|[kK]r\.?)|€)"
_SIGN = rf"(?:{_CURRENCY}|%|‰)"
_MINUS = "[-−–—‑－]"
# A minus stands before or behind the number, the currency, or both; brackets stand around what is owed.
_AMOUNT = r"\d[^%‰\p{L}\p{Sc}()+-]*?"
_WITH_SIGN = rf"^([+-]?)\s*(?:{_SIGN}\s*)?([+-]?)\s*({_AMOUNT}|[.,]\d+)\s*(?:{_SIGN})?$"
_MINUS_BEHIND = rf"^({_SIGN}\s*{_AMOUNT}|{_AMOUNT}\s*{_SIGN})\s*-$"
_MINUS_BETWEEN = rf"^({_AMOUNT})\s*-\s*({_SIGN})$"
# Without a currency it is read behind decimals alone: 2- may be a mark at school.
_MINUS_ALONE = r"^([\d.,'’\s]*[.,]\d+)-$"
_OWED = rf"^(?:{_SIGN}\s*)?\(\s*([^()+-]*\d[^()]*?)\s*\)(?:\s*{_SIGN})?$"
# Whole amounts have dashes for their cents, and Excel's accounting format has one for zero.
_DASHED_CENTS = rf"(\d)[.,]{_MINUS}{{1,2}}(\s*(?:{_SIGN})?)$"
_DASHED_ZERO = rf"^(?:{_CURRENCY}\s*{_MINUS}{{1,2}}|{_MINUS}{{1,2}}\s*{_CURRENCY})$"
_DIGITS_ALONE = r"^[+-]?[0-9.,]*(?:[eE][+-]?[0-9]+)?$"


def _bare(texts: pl.Series) -> pl.Series:
    """Texts of numbers without what a spreadsheet writes beside them, and with a plain minus before them."""
    texts = texts.str.strip_chars()
    others = (~texts.str.contains(_DIGITS_ALONE)).fill_null(False)
    return texts.scatter(others.arg_true(), _bared(texts.filter(others))) if others.any() else texts


def _bared(texts: pl.Series) -> pl.Series:
    if texts.str.contains("[０-９]").any():
        texts = texts.str.normalize("NFKC")
    has_dash = texts.str.contains("[-−–—‑－(]")
    if has_dash.any():
        texts = texts.scatter(has_dash.arg_true(), _with_minus_before(texts.filter(has_dash)))
    return texts.str.replace(_WITH_SIGN, "${1}${2}${3}")


def _with_minus_before(texts: pl.Series) -> pl.Series:
    """Texts of numbers with a plain minus, before the number, and none for cents or in place of zero."""
    texts = texts.str.replace(_DASHED_ZERO, "0").str.replace(_DASHED_CENTS, "${1}${2}")
    texts = texts.str.replace(f"^({_SIGN}?\\s*){_MINUS}", "${1}-")
    texts = texts.str.replace(rf"(\d\s*{_SIGN}?\s*){_MINUS}(\s*{_SIGN}?)$", "${1}-${2}")
    texts = texts.str.replace(_OWED, "-${1}").str.replace(_MINUS_BETWEEN, "-${1} ${2}")
    return texts.str.replace(_MINUS_BEHIND, "-${1}").str.replace(_MINUS_ALONE, "-${1}")


def as_texts(column: pl.Series, where: str) -> pl.Series:
    """A column as texts; a missing value stays one.

    Raises:
        DataError: Its values have no text, as lists and bytes have none.
    """
    if column.dtype == pl.String:
        return column
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object, pl.Duration):
        raise DataError(f"{where} holds {column.dtype}, expected text")
    if column.dtype.is_float():
        column = column.fill_nan(None)
    return column.cast(pl.String)


def plain_texts(column: pl.Series, where: str, known: Collection[str] = ()) -> pl.Series:
    """Labels or ids, the same however a program wrote them: 1.0 is 1, and True is true; without outer spaces.

    A missing value elsewhere in a column of whole numbers turns all of them into fractions, and one program's truth is
    another's word. So a column of nothing but whole numbers, or of nothing but truths, is written plainly.

    Args:
        column: The labels or ids.
        where: The table and its column, for messages.
        known: The labels or ids that a model was trained on; a text that is one of them, or differs from one in this
            way alone, becomes it.
    """
    texts = as_texts(column, where).str.strip_chars()
    texts = texts.set(texts == "", None)
    present = texts.drop_nulls()
    is_number = present.str.contains(r"^[+-]?\d+(\.\d+)?$")
    if is_number.any() and (is_number | present.is_in(list(MISSING_WORDS))).all():
        texts = texts.set(texts.is_in(list(MISSING_WORDS)), None)
    if known:
        plain = {_plainly(name): name for name in known}
        new = {text: plain.get(_plainly(text), text) for text in present.unique() if text not in known}
        texts = texts.replace(new)
        if texts.drop_nulls().is_in(list(known)).any():
            return texts
    present = texts.drop_nulls()
    if present.str.contains(r"^-?\d+(\.0*)?$").all() or present.str.contains(r"(?i)^(true|false)$").all():
        return texts.replace({text: _plainly(text) for text in present.unique()})
    return texts


def _plainly(text: str) -> str:
    if text.lower() in _BOOLEANS:
        return text.lower()
    return re.sub(r"\.0*$", "", text) if re.fullmatch(r"-?\d+\.0*", text) else text


def numbers(
    column: pl.Series, source: str, row: Callable[[int], str], reading: Reading | None = None, *, is_whole: bool = False
) -> np.ndarray:
    """A column's numbers, shape (rows,), float64, NaN where a value is missing.

    Args:
        column: Numbers, truths, or texts of them.
        source: The file, for messages.
        row: Names a row, given its position.
        reading: The marks of texts; decided from this column if None.
        is_whole: Whether every row must have a value.

    Raises:
        DataError: A value is a text, infinite, too large, or missing where one must stand.
    """
    where = f'{source}, column "{column.name}"'
    if column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null):
        floats = np.array(column.cast(pl.Float64).to_numpy())
        is_missing, is_wrong = np.isnan(floats), np.zeros(len(floats), dtype=bool)
    elif column.dtype.is_temporal() or column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        raise DataError(f"{where} holds {column.dtype}, expected numbers")
    else:
        texts = as_texts(column, where)
        is_decided = reading is not None and reading.decimal is not None
        marks = reading if is_decided and reading else number_marks([column], reading or Reading())[0]
        values = parsed_numbers(texts, marks)
        is_missing = (texts.is_null() | texts.str.strip_chars().is_in(list(MISSING_WORDS))).to_numpy()
        is_wrong = ~is_missing & values.is_null().to_numpy()
        floats = np.array(values.fill_null(float("nan")).to_numpy(), dtype=np.float64)
    with np.errstate(invalid="ignore"):
        bad = is_wrong | (np.abs(floats) > LARGEST) | (is_missing if is_whole else False)
    if bad.any():
        at = int(np.argmax(bad))
        more = f" (and {int(bad.sum()) - 1:,} more)" if bad.sum() > 1 else ""
        way = "correct it or remove those rows" if is_whole else "mend the row or empty the field"
        if at == 0 and bad.sum() == 1 and is_wrong[at] and not re.search(r"\d", str(column[at])):
            way = f"if that row describes the columns, remove it, else {way}"
        raise DataError(f"{where}: {row(at)} {_said(column[at], floats[at], bool(is_missing[at]))}{more}; {way}")
    return floats


def _said(value: object, number: float, is_missing: bool) -> str:
    text = "" if value is None else str(value)
    shown = f'"{text if len(text) <= 40 else text[:40] + "..."}"'
    if is_missing:
        return f"is {shown if text.strip() else 'empty'}, expected a finite number"
    if np.isinf(number) and "inf" in text.lower():
        return f"is infinite ({shown}), expected a finite number"
    if abs(number) > LARGEST:
        return f"is {shown}, beyond the largest number that can be computed with, {LARGEST:g}"
    return f"is {shown}, expected a number"


def parsed_numbers(texts: pl.Series, reading: Reading) -> pl.Series:
    """The numbers of texts in these marks, float64; missing where a text is none, an infinite one included."""
    texts = _bare(texts)
    decimal, thousands = reading.decimal or ".", reading.thousands or ""
    if (decimal, thousands) != _STYLES[0]:
        fits = texts.str.contains(_pattern(decimal, thousands))
        plain = texts.str.replace_all(_MARKS[thousands], "") if thousands else texts
        texts = plain.str.replace(_MARKS[decimal], ".").set(~fits.fill_null(False), None)
    values = texts.cast(pl.Float64, strict=False)
    values = values.set(values.is_nan(), None)
    if values.null_count() > texts.null_count() and texts.str.contains(r"(?i)^(true|false)$").any():
        return texts.str.to_lowercase().replace(_BOOLEANS).cast(pl.Float64, strict=False)
    return values


@dataclass(frozen=True)
class NumberReader:
    """One text after another to a number, as `parsed_numbers` reads a column."""

    reading: Reading

    def __call__(self, text: str) -> float | None:
        """The number, NaN where it is missing, None where the text is none."""
        text = text.strip()
        if text in MISSING_WORDS:
            return float("nan")
        if (self.reading.decimal or ".", self.reading.thousands or "") == _STYLES[0] and _PLAIN.fullmatch(text):
            return float(text)
        value = parsed_numbers(pl.Series([text]), self.reading)[0]
        return None if value is None else float(value)


_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def _pattern(decimal: str, thousands: str) -> str:
    # India counts in lakhs: 12,34,567.
    lakhs = r"|\d{1,2}(?:,\d{2})+,\d{3}" if thousands == "," else ""
    whole = rf"(?:\d{{1,3}}(?:{_MARKS[thousands]}\d{{3}})+{lakhs}|\d+)" if thousands else r"\d+"
    return rf"^[+-]?(?:{whole}(?:{_MARKS[decimal]}\d*)?|{_MARKS[decimal]}\d+)(?:[eE][+-]?\d+)?$"


def number_marks(columns: Iterable[pl.Series], reading: Reading) -> tuple[Reading, tuple[str, ...]]:
    """The reading with its marks of numbers decided, from all columns of numbers together, and what to say of it.

    Args:
        columns: The columns that are used; those that are no texts, or no numbers, decide nothing.
        reading: What is decided already stays; whole numbers alone decide nothing.
    """
    if reading.decimal is not None and reading.thousands is not None:
        return reading, ()
    strings = [column for column in columns if column.dtype == pl.String]
    every = [_number_texts(column) for column in strings]
    said = _said_of_signs([column for column, texts in zip(strings, every, strict=True) if len(texts)])
    texts = [column for column in every if column.str.contains(rf"[.,'’{_BLANKS}]").any()]
    if not texts:
        return reading, said
    possible = [style for style in _STYLES if reading.decimal in (None, style[0])]
    # One odd field must not make the others unreadable: the style that reads the most, and of equals the likelier.
    style = max(possible, key=lambda s: sum(int(column.str.contains(_pattern(*s)).sum()) for column in texts))
    doubtful = _doubtful(texts, style) if reading.decimal is None else []
    if doubtful:
        reading, note = _with_doubt(reading, style[0], doubtful)
        return reading, (*said, note)
    reading = replace(reading, decimal=style[0], thousands=style[1])
    between = f' and "{style[1]}" between thousands' if style[1] else ""
    marks = () if style == _STYLES[0] else (f'Numbers were read with "{style[0]}" before decimals{between}.',)
    return reading, (*said, *marks)


def _said_of_signs(columns: list[pl.Series]) -> tuple[str, ...]:
    """What is said of columns of numbers that have signs beside them."""
    for column in columns:
        texts = column.str.strip_chars().drop_nulls()
        plain = texts.str.replace("^[−–‑]", "-")
        signed = texts.filter((_bare(texts) != plain) & ~texts.is_in(list(MISSING_WORDS)))
        if len(signed):
            said = f'"{signed[0]}" in the column "{column.name}" was read as {_bare(signed[:1])[0]}'
            kinds = signed.str.extract(f"({_SIGN})").drop_nulls().unique(maintain_order=True)
            several = f"; it holds {' and '.join(kinds)}, which were not told apart" if len(kinds) > 1 else ""
            return (f"{said}{several}.",)
    return ()


def _doubtful(texts: list[pl.Series], style: tuple[str, str]) -> list[pl.Series]:
    """The columns with marks, if every one of these may stand before thousands as well as before decimals."""
    decimal = _MARKS[style[0]]
    marked = [column for column in texts if column.str.contains(decimal).any()]
    for column in marked:
        numbers = column.filter(column.str.contains(decimal))
        is_group = numbers.str.contains(rf"^[+-]?[1-9]\d{{0,2}}{decimal}\d{{3}}$").all()
        if not is_group or column.str.contains(r"^[+-]?\d{4,}$").any():
            return []
    return marked


def _with_doubt(reading: Reading, mark: str, columns: list[pl.Series]) -> tuple[Reading, str]:
    """Decides what a mark means that always has three digits after it."""
    other = "," if mark == "." else "."
    # 1.238 beside 707: nobody writes three decimals in one row and none in the next.
    is_beside = any(column.str.contains(r"^[+-]?[1-9]\d{2}$").any() for column in columns)
    is_thousands = is_beside or (mark == "," and reading.separator not in (";", "\t"))
    decimal, thousands = (other, mark) if is_thousands else (mark, "")
    first = columns[0].filter(columns[0].str.contains(_MARKS[mark]))[0]
    plain = first.replace(mark, "" if is_thousands else ".")
    note = (
        f'"{first}" in the column "{columns[0].name}" was read as {plain}, as every number with such a mark has three '
        f'digits after it; if that is wrong, give --decimal "{mark if is_thousands else other}".'
    )
    return replace(reading, decimal=decimal, thousands=thousands), note


def _number_texts(column: pl.Series) -> pl.Series:
    """The different texts of a column that look like numbers; none where more than a tenth do not."""
    texts = _bare(column).unique(maintain_order=True).drop_nulls()
    texts = texts.filter(~texts.is_in(list(MISSING_WORDS)))
    is_number = texts.str.contains(rf"^[+-]?[\d.,'’{_BLANKS}]+(?:[eE][+-]?\d+)?$")
    return texts.filter(is_number) if is_number.sum() > 0.9 * len(texts) else texts.clear()
