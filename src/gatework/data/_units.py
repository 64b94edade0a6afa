"""Units below the names of columns, as meters, loggers and statistical offices write them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from gatework.data._footers import holds
from gatework.data.numbers import CURRENCY_CODES, MISSING_WORDS

_PREFIX = "(?:da|[pnuµμmcdhkKMGT])?"
_SYMBOLS = (
    "m g s A K mol cd Hz N Pa J W C V F Ω Ohm ohm S T H lm lx Bq Gy Sv L l bar eV Wh VA VAh VAr var varh cal B bit t"
)
_WORDS = (
    "° °C °F ℃ ℉ degC degF deg Deg degrees Celsius Fahrenheit Kelvin % %rH % RH percent ‰ "
    "psu ppm ppb pH NTU h hr hrs hour hours min mins minute minutes sec seconds second d day days a yr year years "
    "month months mmHg inHg psi atm mi mile miles ft feet foot in inch yd nmi lb lbs oz gal kn kt kts knots mph kmh "
    "kph bpm rpm spm fps BTU ha count counts number no. pcs Stk Stk. Stück Anzahl persons people unit units unitless "
    "dimensionless ratio index volts Volts watts Watts amps Amps metres meters steps TEUR k€ T€ Mio Mrd mln bn "
    "thousand million billion a.u. dB dBA dB(A) UTC GMT CET CEST MEZ MESZ TS RN Avg Smp Tot Max Min Std"
)
_NAMES = sorted({*_WORDS.split(), *CURRENCY_CODES.split()}, key=len, reverse=True)
_ONE = (
    rf"(?:[€$£¥₹₽₺₩₪₴]|{_PREFIX}(?:{_SYMBOLS.replace(' ', '|')})|{'|'.join(map(re.escape, _NAMES))}"
    r"|° ?[CF]|[dD]eg[ _]?[CF]|% ?RH)(?:\^?[-−+]?\d|[²³¹⁻]+)?"
)
# Such as kWh, W/m², 10^3 EUR, mm per day, mm/10min and m s-1.
_UNIT = re.compile(rf"(?:1/|10+(?:\^\d+)?[ *·]?)?{_ONE}(?:(?: ?[/·*.⋅] ?| | per )(?:\d+ ?)?\(?{_ONE}\)?)*")
_BRACKETED = re.compile(r"\((?=[^()]*[^\W\d_]|[^()]*[%°€$£])[^()]*\)|\[[^\[\]]*\]|<[^<>]*>")
_LOOKED_AT, _MOST_ROWS = 200, 3
# Database consoles underline the names.
_RULE = re.compile("[-=+]{2,}")
# As "dd.mm.yyyy hh:mm:ss" above times.
_LETTERS = "[YyMmDdHhSsTtJjAa]{1,4}"
_TIME_FORMAT = re.compile(rf"{_LETTERS}(?:[-/.: _T]{{1,2}}{_LETTERS}){{1,6}}(?:[.,][Ssf]+)?Z?")


def _is_unit(field: str) -> bool:
    """Whether a field is a unit, also in brackets, or tells how a time is written."""
    return any(pattern.fullmatch(field) for pattern in (_UNIT, _BRACKETED, _TIME_FORMAT))


def units_at_start(frame: pl.DataFrame) -> int:
    """How many of the first rows, right below the names, describe the columns: units, and how values were made.

    A row of units holds nothing else, and one of them above numbers. Survey programs write questions and then
    identifiers as JSON.

    Args:
        frame: The rows of a text file.
    """
    first = frame.head(_MOST_ROWS).rows()
    if identifiers := next((at for at, fields in enumerate(first, start=1) if all(map(_is_identifier, fields))), 0):
        return identifiers
    count = 0
    while count < len(first) and _are_units(first[count], frame[count + 1 :]):
        count += 1
    return count


def _is_identifier(field: str | None) -> bool:
    return bool(field and field.startswith('{"ImportId":'))


def _are_units(fields: Sequence[str | None], below: pl.DataFrame) -> bool:
    lines = [field for field in fields if field and field.strip()]
    if lines and all(_RULE.fullmatch(field.strip()) for field in lines):
        return True
    filled = [field.strip() if field and field.strip() not in MISSING_WORDS else "" for field in fields]
    if not all(_is_unit(field) for field in filled if field):
        return False
    return any(field and _stands_above_numbers(below.to_series(at)) for at, field in enumerate(filled))


def _stands_above_numbers(below: pl.Series) -> bool:
    """Whether a column holds numbers alone, but for further units."""
    others = [text for text in below.head(_LOOKED_AT) if text and not _is_unit(text.strip())]
    return holds(pl.Series(others, dtype=pl.String)) == "numbers"
