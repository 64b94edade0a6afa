"""Words within times, as people and programs write them: months and weekdays of several languages, zones, "Uhr"."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import polars as pl

# Languages in which tables are written, by their names in CLDR; Austria has names of its own.
_LANGUAGES = (
    "en de de_AT fr es it pt nl sv da nb nn fi is et lv lt pl cs sk sl hr sr hu ro bg ru uk be mk sq el tr az ca gl eu "
    "ga cy mt id ms vi th ar fa he hi bn ta te ko ja zh sw af"
)
# Short forms that are written and that CLDR has not.
_ALSO: dict[str, dict[str, int | None]] = {
    "de": {"mrz": 3, "maerz": 3, "jaenner": 1, "sonnabend": None},
    "es": {"set": 9},
    "nl": {"maa": 3},
}
_ENGLISH_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ENGLISH = "January|February|March|April|June|July|August|September|October|November|December|Sept|" + "|".join(
    _ENGLISH_MONTHS
)
_ENGLISH_DAYS = "mon tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday sunday"
_TWO_MONTHS = rf"^(?:{'|'.join(_ENGLISH_MONTHS)}),? (\d.*\b(?:{'|'.join(_ENGLISH_MONTHS)})\b)"
# More different words than times of one column hold in any language.
_MOST_WORDS = 60
_WORD = r"\p{L}[\p{L}\p{M}]*(?:-\p{L}+)*"
# A day of the week stands before everything else.
_FIRST_WORD = rf"^({_WORD})[.,]{{0,2}} ?[\d\p{{L}}]"
# The names that RFC 2822 defines, and those of Europe and Japan. BST, IST and others stand for several zones.
_ZONES = {"EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9}
_ZONES |= {"WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3}
_READ = {
    *_ENGLISH.lower().split("|"),
    *_ENGLISH_DAYS.split(),
    *map(str.lower, _ZONES),
    "t",
    "z",
    "utc",
    "gmt",
    "am",
    "pm",
}
_PLAIN = r"^[0-9 :/+TZ-]*(?:\.[0-9]+)?(?:Z|[+-][0-9:]+)?$"


def without_words(column: pl.Series) -> pl.Series:
    """Times with English months, colons within clocks, offsets for the names of zones, and without other words.

    Args:
        column: Texts with single plain spaces.
    """
    if column.str.contains(_PLAIN).all():
        return column
    if column.str.contains("[０-９年년]").any():
        column = column.str.normalize("NFKC").str.replace(
            r"(\d)[年년] ?(\d{1,2})[月월] ?(\d{1,2})[日일]", "${1}-${2}-${3}"
        )
        column = column.str.replace(r"(\d{4})[年년] ?(\d{1,2})[月월]", "${1}-${2}")
    # Clocks with points or an h, and what stands behind them.
    column = column.str.replace(
        r"([A-Za-z\d][-/.]\d{2,4}\.?,? \d{1,2})[.h](\d{2})(?:[.:](\d{2}))?( |$|[.,]\d+)", "${1}:${2}:${3}${4}"
    )
    column = column.str.replace(r"(\d:\d{2}):( |$)", "${1}${2}").str.replace(r"(?i) ?(?:Uhr|hrs)$", "")
    if not column.str.contains(r"\p{L}{2,}").any():
        return column
    column = column.str.replace(r"\[[A-Z][\w/+-]*\]$", "")
    column = column.str.replace(r"(\d)(?:st|nd|rd|th|er|º)\b", "${1}").str.replace_all(r"(?i) (?:de|del) ", " ")
    column = _in_english(column)
    for name in column.str.extract(r"\d ?(\p{L}{3,4})$").drop_nulls().unique():
        if name in _ZONES:
            column = column.str.replace(rf"(\d) ?{name}$", f"${{1}}{_ZONES[name]:+03d}:00")
    return column.str.replace(rf"(?i)\b({_ENGLISH})\.", "${1}")


def _in_english(column: pl.Series) -> pl.Series:
    """Times with English names of months, and without days of the week in other languages."""
    words = {word: _plain(word) for word in column.str.extract_all(_WORD).explode().drop_nulls().unique()}
    if len(words) > _MOST_WORDS or _READ.issuperset(words.values()):
        return column
    meanings = _meanings(frozenset(words.values()))
    days = [
        re.escape(word)
        for word in column.str.extract(_FIRST_WORD).unique()
        if word and meanings.get(words.get(word, ""), 0) is None
    ]
    if days:
        column = column.str.replace(rf"^(?:{'|'.join(days)})[.,]{{0,2}} ?", "")
    for word, plain in words.items():
        if month := meanings.get(plain):
            column = column.str.replace(rf"\b{re.escape(word)}\b", _ENGLISH_MONTHS[month - 1])
    # "mar 3 marzo": a day of the week that is short for a month too.
    return column.str.replace(_TWO_MONTHS, "${1}")


def _meanings(words: frozenset[str]) -> dict[str, int | None]:
    """The months, and None for days of the week, that words mean in the language that has most of them.

    Where several languages have equally many, a word that means different things in them is left out.

    Args:
        words: As `_plain()` gives them.
    """
    readings = [{word: known[word] for word in words & known.keys()} for known in _known().values()]
    most = max(map(len, readings))
    meanings: dict[str, set[int | None]] = {}
    for reading in readings:
        for word, means in reading.items() if len(reading) == most else ():
            meanings.setdefault(word, set()).add(means)
    return {word: means.pop() for word, means in meanings.items() if len(means) == 1}


@cache
def _known() -> dict[str, dict[str, int | None]]:
    """By language the words for the months, 1 to 12, and for the days of the week, None, wide and short."""
    from babel import Locale

    known = {}
    for name in _LANGUAGES.split():
        locale = Locale.parse(name)
        words: dict[str, int | None] = {}
        for forms in locale.days.values():
            words |= {_plain(word): None for width in forms.values() for word in width.values()}
        for forms in locale.months.values():
            words |= {_plain(word): month for width in forms.values() for month, word in width.items()}
        words.update(_ALSO.get(name, {}))
        known[name] = {word: means for word, means in words.items() if not word.isdigit() and len(word) > 1}
    return known


def _plain(word: str) -> str:
    """A word in lower case without accents and points, as many write it."""
    folded = unicodedata.normalize("NFKD", word.casefold())
    return "".join(mark for mark in folded if not unicodedata.combining(mark)).rstrip(".")


_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?"
_BETWEEN = r" [-–—] |[-–—]|/| bis | to "
_SPAN = rf"^(.*?{_CLOCK})({_BETWEEN})((?:\S+[ T])?{_CLOCK})$"
_SPAN_OF_DAYS = r"^(.*\d)( [-–—] |–| bis | to )(.*\d)$"
_SPAN_FORMAT = re.compile(rf"(?P<begin>.+?)(?:{_BETWEEN})(?:(?P=begin)|%H:%M(?::%S(?:%\.f)?)?)")
_MOST_OFFSETS = 2


def begins(column: pl.Series, pattern: str | None) -> tuple[pl.Series, str | None, str] | None:
    """The beginnings of times that name spans, as `01.02.2024 13:00 - 14:00`; None where they name none.

    A clock behind a minus alone may be an offset from UTC: it is none where there are more of them than a zone has, and
    all are equally long after the first.

    Args:
        column: Texts with single plain spaces.
        pattern: The format that was named or kept, as `%d.%m.%Y %H:%M - %H:%M`.

    Returns:
        The beginnings, the format of those, and what stands between, also how the ends are written where that is known.
    """
    if column.is_empty():
        return None
    if pattern is not None:
        span = _SPAN_FORMAT.fullmatch(pattern)
        if span is None:
            return None
        start, rest = span["begin"], pattern[len(span["begin"]) :]
    else:
        start, rest = None, ""
    for regex in (_SPAN, _SPAN_OF_DAYS):
        fields = column.str.extract_groups(regex)
        first, between, last = (fields.struct.field(name) for name in "123")
        if first.null_count() or between.n_unique() > 1:
            continue
        is_clock_alone = regex == _SPAN and not last.str.contains("[ T]").any()
        if pattern is None and is_clock_alone and between[0] == "-" and not _are_equally_long(first, last):
            return None
        return first, start, rest or between[0] + ("%H:%M" if is_clock_alone else "")
    return None


def _are_equally_long(first: pl.Series, last: pl.Series) -> bool:
    """Whether clocks are ends of spans of one length, and more of them than a zone has offsets."""
    if last.n_unique() <= _MOST_OFFSETS:
        return False
    hours, minutes = (
        [texts.str.extract(r"(\d{1,2}):(\d{2})(?::\d{2}(?:\.\d+)?)?Z?$", at).cast(pl.Int64) for texts in (first, last)]
        for at in (1, 2)
    )
    length = ((hours[1] - hours[0]) * 60 + minutes[1] - minutes[0]) % (24 * 60)
    return length.n_unique() == 1 and length[0] > 0
