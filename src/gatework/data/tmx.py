"""Translation memories in TMX, the exchange format of translators' tools."""

from __future__ import annotations

import io
from xml.etree import ElementTree

from gatework.errors import DataError, UsageError, nearest

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
# What stands in these is the mark-up of the document that a segment came from.
_MARKUP = {"bpt", "ept", "ph", "it", "ut"}


def read_tmx(
    content: bytes, where: str, sides: tuple[str | None, str | None]
) -> tuple[list[str], list[str], tuple[str, str], tuple[str, ...]]:
    """Reads the segments of two languages.

    Args:
        content: The file's content.
        where: Its path, for messages.
        sides: The codes of the languages, as "en" for every kind of English; those of the first unit if None.

    Returns:
        The segments of both, one a unit, the languages, and what is to be said.

    Raises:
        DataError: It is not XML, or holds no unit with both languages.
        UsageError: More than two languages are there and two are not named.
    """
    units = _units(content, where)
    known = list(dict.fromkeys(language for unit in units for language in unit))
    if len(known) != 2 and not all(sides):
        raise UsageError(
            f"{where} holds {len(known)} languages ({', '.join(known[:12])}); name two, as --source en --target de"
        )
    first, second = (side or known[at] for at, side in enumerate(sides))
    for side in (first, second):
        if not any(_is_of(language, side) for language in known):
            raise DataError(f'{where} has no segments in "{side}": {nearest(side, known)}')
    source, target = [], []
    for unit in units:
        segments = [next((text for code, text in unit.items() if _is_of(code, side)), None) for side in (first, second)]
        if segments[0] is not None and segments[1] is not None:
            source.append(segments[0])
            target.append(segments[1])
    if not source:
        raise DataError(f"{where} holds no unit with both {first} and {second}")
    absent = len(units) - len(source)
    notes = (f"{absent:,} of {len(units):,} units lack one of the two languages and were left out.",) if absent else ()
    return source, target, (first, second), notes


def _units(content: bytes, where: str) -> list[dict[str, str]]:
    """The segments of every unit by language."""
    units: list[dict[str, str]] = []
    try:
        for _, element in ElementTree.iterparse(io.BytesIO(content)):
            if element.tag != "tu":
                continue
            unit = {}
            for variant in element.iter("tuv"):
                segment = variant.find("seg")
                language = variant.get(_LANGUAGE) or variant.get("lang") or ""
                if segment is not None and language:
                    unit[language] = " ".join(_text(segment).split())
            units.append(unit)
            element.clear()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataError(f"{where} is not a TMX file or is damaged ({error}); export it again") from None
    if not units:
        raise DataError(f"{where} holds no translation unit (tu)")
    return units


def _text(element: ElementTree.Element) -> str:
    """The text of a segment without the mark-up of its document."""
    inner = [(_text(child) if child.tag not in _MARKUP else "") + (child.tail or "") for child in element]
    return (element.text or "") + "".join(inner)


def _is_of(language: str, side: str) -> bool:
    """Whether a code is of a language: "en-GB" is of "en"."""
    language, side = language.lower().replace("_", "-"), side.lower().replace("_", "-")
    return language == side or language.startswith(side + "-")
