"""Symbols and terms: the page of the site, and the links that lead to it from the first use of each."""

from __future__ import annotations

import html
import re
from functools import cache
from importlib.resources import files

_ROW = re.compile(r"^\| ([^|`]+?) \| .* \|$", re.MULTILINE)
_BOLD = re.compile(r"<strong>([^<]+)</strong>")
_FIRST_CELL = re.compile(r"<tr>\n<td>([^<]+)</td>")
_FIRST_SYMBOL = re.compile(r"<tr>\n<td><code>(\w)</code></td>")
_SYMBOL = re.compile(r"^\| `(\w)` \| ([^|]+?) \| .* \| (\d*) \|$", re.MULTILINE)
_INLINE = re.compile(r'<math [^>]*display="inline"[^>]*>.*?</math>')
_TAG = re.compile(r"<[^>]+>")
# A symbol alone, or with its step, as in a sentence.
_ALONE = re.compile("(\\w)(t|t\N{MINUS SIGN}1|\N{PRIME})?")


def text() -> str:
    """The page in Markdown."""
    return files("gatework.course").joinpath("glossary.md").read_text(encoding="utf-8")


@cache
def terms() -> tuple[str, ...]:
    """Every term, as it is written."""
    return tuple(_ROW.findall(text().partition("## Terms")[2].partition("| --- |")[2]))


@cache
def symbols() -> dict[str, int]:
    """Every symbol that a lesson brings, with the number of that lesson."""
    return {symbol: int(lesson) for symbol, _, lesson in _SYMBOL.findall(text()) if lesson}


@cache
def symbol_names() -> dict[str, str]:
    """Every symbol with its name in words."""
    return {symbol: name for symbol, name, _ in _SYMBOL.findall(text())}


def symbol_anchor(symbol: str) -> str:
    """The place of a symbol in the page; addresses may not tell u from U, so a capital says that it is one."""
    return f"symbol-{'capital-' if symbol.isupper() else ''}{symbol.lower()}"


def anchor(term: str) -> str:
    """The place of a term in the page."""
    return "term-" + re.sub(r"\W+", "-", term.lower())


def linked(body: str, lesson: int = 0) -> str:
    """A lesson's HTML in which the first bold use of each term leads to the glossary.

    Args:
        body: The HTML.
        lesson: The lesson's number; the first use of each symbol that it brings is a link as well.
    """
    by_name = {term.lower(): term for term in terms()}
    seen: set[str] = set()

    def link(match: re.Match[str]) -> str:
        term = by_name.get(match[1].lower()) or by_name.get(match[1].lower().removesuffix("s"))
        if term is None or term in seen:
            return match[0]
        seen.add(term)
        return f'<a class="term" href="glossary.html#{anchor(term)}">{match[0]}</a>'

    def link_symbol(match: re.Match[str]) -> str:
        seen_as = html.unescape(_TAG.sub("", match[0]))
        alone = _ALONE.fullmatch(seen_as)
        if alone is None or symbols().get(alone[1]) != lesson or alone[1] in seen:
            return match[0]
        seen.add(alone[1])
        # Not every screen reader takes a formula for the name of a link.
        name = html.escape(f"{seen_as}, {symbol_names()[alone[1]]}", quote=True)
        return f'<a class="term" href="glossary.html#{symbol_anchor(alone[1])}" aria-label="{name}">{match[0]}</a>'

    return _INLINE.sub(link_symbol, _BOLD.sub(link, body))


def anchored(body: str) -> str:
    """The page's HTML with a place for each symbol and each term."""
    known = set(terms())
    body = _FIRST_SYMBOL.sub(
        lambda match: f'<tr id="{symbol_anchor(match[1])}">\n<td><code>{match[1]}</code></td>', body
    )
    return _FIRST_CELL.sub(
        lambda match: f'<tr id="{anchor(match[1])}">\n<td>{match[1]}</td>' if match[1] in known else match[0], body
    )
