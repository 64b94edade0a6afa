"""Symbols and terms: the page of the site, and the links that lead to it from a term's first use."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_ROW = re.compile(r"^\| ([^|`]+?) \| .* \|$", re.MULTILINE)
_BOLD = re.compile(r"<strong>([^<]+)</strong>")
_FIRST_CELL = re.compile(r"<tr>\n<td>([^<]+)</td>")


def text() -> str:
    """The page in Markdown."""
    return files("gatework.course").joinpath("glossary.md").read_text(encoding="utf-8")


@cache
def terms() -> tuple[str, ...]:
    """Every term, as it is written."""
    return tuple(_ROW.findall(text().partition("## Terms")[2].partition("| --- |")[2]))


def anchor(term: str) -> str:
    """The place of a term in the page."""
    return "term-" + re.sub(r"\W+", "-", term.lower())


def linked(body: str) -> str:
    """A lesson's HTML in which the first bold use of each term leads to the glossary."""
    by_name = {term.lower(): term for term in terms()}
    seen: set[str] = set()

    def link(match: re.Match[str]) -> str:
        term = by_name.get(match[1].lower()) or by_name.get(match[1].lower().removesuffix("s"))
        if term is None or term in seen:
            return match[0]
        seen.add(term)
        return f'<a class="term" href="glossary.html#{anchor(term)}">{match[0]}</a>'

    return _BOLD.sub(link, body)


def anchored(body: str) -> str:
    """The page's HTML with a place for each term."""
    known = set(terms())
    return _FIRST_CELL.sub(
        lambda match: f'<tr id="{anchor(match[1])}">\n<td>{match[1]}</td>' if match[1] in known else match[0], body
    )
