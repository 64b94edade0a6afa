"""The search of the static site: every part of every lesson and every term, for a script to look through."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files

_PART = re.compile(r'<h2 id="([^"]+)">(.*?)</h2>', re.DOTALL)
_SILENT = re.compile(r"<(script|style|math|svg)\b.*?</\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_TERM = re.compile(r'<tr id="([^"]+)">\n<td>([^<]+)</td>\n<td>(.*?)</td>', re.DOTALL)


def search_script(lessons: Mapping[str, tuple[str, str]], glossary: str) -> str:
    """The script of the search with all that it looks through.

    Args:
        lessons: For each page, by its address, its title and what stands on it in HTML.
        glossary: What stands on the page of terms.
    """
    entries = [entry for page, (title, body) in lessons.items() for entry in _parts(page, title, body)]
    entries += [
        {"page": f"glossary.html#{place}", "title": _plain(term), "of": "Symbols and terms", "text": _plain(meaning)}
        for place, term, meaning in _TERM.findall(glossary)
    ]
    script = files("gatework.course").joinpath("templates", "search.js").read_text(encoding="utf-8")
    return script.replace("/* entries */ []", json.dumps(entries, ensure_ascii=False))


def _parts(page: str, title: str, body: str) -> Iterator[dict[str, str]]:
    """The lesson's opening, and each of its parts."""
    opening, *rest = _PART.split(body)
    yield {"page": page, "title": title, "of": "", "text": _plain(opening)}
    for place, heading, text in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        yield {"page": f"{page}#{place}", "title": _plain(heading), "of": title, "text": _plain(text)}


def _plain(markup: str) -> str:
    """What a reader sees of HTML, with single spaces."""
    return " ".join(html.unescape(_TAG.sub(" ", _SILENT.sub(" ", markup))).split())
