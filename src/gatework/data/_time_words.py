"""Words within times, as people and programs write them: months and weekdays of several languages, zones, "Uhr"."""

from __future__ import annotations

import re

import polars as pl

# As CLDR has them for German, French, Spanish, Italian, Portuguese, Dutch, Swedish and Danish, wide and short, in lower
# case; English ones are read as they are.
_MONTHS = {
    "Jan": "januar jänner jän janvier janv enero ene gennaio gen janeiro januari",
    "Feb": "februar feber février févr fév fevrier febrero febbraio fevereiro fev februari",
    "Mar": "märz mär mrz maerz mars marzo março marco maart mrt marts",
    "Apr": "avril avr abril abr aprile april",
    "May": "mai mayo maggio mag maio mei maj",
    "Jun": "juni juin junio giugno giu junho",
    "Jul": "juli juillet juil julio luglio lug julho",
    "Aug": "août aout agosto ago augustus augusti",
    "Sep": "septembre sept septiembre settembre set setembro sept",
    "Oct": "oktober okt octobre octubre ottobre ott outubro out",
    "Nov": "novembre noviembre novembro",
    "Dec": "dezember dez décembre déc decembre diciembre dic dicembre dezembro december",
}
_MONTH_OF = {word: month for month, words in _MONTHS.items() for word in words.split()}
_ENGLISH = "January|February|March|April|June|July|August|September|October|November|December|" + "|".join(_MONTHS)
_WEEKDAYS = (
    "montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so "
    "lundi mardi mercredi jeudi vendredi samedi dimanche lun mer jeu ven sam dim "
    "lunes martes miércoles jueves viernes sábado domingo mié jue vie sáb dom "
    "lunedì martedì mercoledì giovedì venerdì sabato gio sab mar "
    "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag ma wo vr za zo"
)
_WEEKDAY = rf"(?i)^(?:{'|'.join(_WEEKDAYS.split())})[.,]{{0,2}} ?(\d)"
# The names that RFC 2822 defines, and those of Europe and Japan. BST, IST and others stand for several zones.
_ZONES = {"EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9}
_ZONES |= {"WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3}
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
    column = column.str.replace(r"\[[A-Z][\w/+-]*\]$", "").str.replace(_WEEKDAY, "${1}")
    column = column.str.replace(r"(\d)(?:st|nd|rd|th|er|º)\b", "${1}").str.replace_all(r"(?i) (?:de|del) ", " ")
    names = column.str.extract_all(r"\p{L}{3,}").explode().drop_nulls().unique()
    for name in names:
        if month := _MONTH_OF.get(name.lower()):
            column = column.str.replace(rf"\b{re.escape(name)}\b", month)
        elif name in _ZONES:
            column = column.str.replace(rf"(\d) ?{name}$", f"${{1}}{_ZONES[name]:+03d}:00")
    return column.str.replace(rf"(?i)\b({_ENGLISH})\.", "${1}")


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
