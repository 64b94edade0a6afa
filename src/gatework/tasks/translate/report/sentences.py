"""Sentences with every model's translation: the networks' worst, typical and best ones."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from gatework.tasks._section import Answered, AnsweredEntry, ReportSection, column_of, section_file
from gatework.tasks.translate.metrics import closeness

_EACH = 6
_LONGEST = 600
# Control characters show as the replacement character; the page's encoding has no other form for them.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_REPEATED = re.compile(r"\b(\w+(?:\W+\w+){0,3})(?:\W+\1\b){2,}", re.IGNORECASE)


def sentences(answered: Answered) -> ReportSection:
    """The worst, typical and best translations of the first network, beside those of the others."""
    sources, references = answered.column("text").to_list(), column_of(answered.entries[0], "target").to_list()
    said = {entry.name: column_of(entry, "translation").to_list() for entry in answered.entries}
    confidences = {e.name: column_of(e, "confidence").to_list() for e in answered.networks if e.is_network}
    first = answered.networks[0].name
    close = np.array([closeness(text, target) for text, target in zip(said[first], references, strict=True)])
    order = np.argsort(close, kind="stable")
    middle = max(len(order) // 2 - _EACH // 2, 0)
    parts = {"worst": order[:_EACH], "typical": order[middle : middle + _EACH], "best": order[::-1][:_EACH]}

    covered = _covered(answered.networks[0])

    def shown(k: int) -> dict[str, Any]:
        return {
            "number": k + 1,
            "source": _short(sources[k]),
            "target": _short(references[k]),
            "covered": covered.get(k),
            "said": [
                (name, _short(texts[k]), texts[k] == references[k], confidences.get(name, {k: None})[k])
                for name, texts in said.items()
            ],
        }

    return ReportSection(
        name="sentences",
        title="What the translations look like",
        template=section_file(__package__, "sentences.html"),
        context={
            "first": first,
            "parts": {name: [shown(int(k)) for k in chosen] for name, chosen in parts.items()},
            "faults": [(e.name, *_faults(said[e.name], references), *_shares(e)) for e in answered.entries],
            "is_covered": any(_shares(entry)[0] is not None for entry in answered.entries),
            "examples": len(references),
        },
    )


def _faults(said: list[str], references: list[str]) -> tuple[float, int, int]:
    """The length in words beside the references', and how many sentences say something thrice, or say nothing."""
    words, wanted = (sum(len(text.split()) for text in side) for side in (said, references))
    repeated = sum(
        bool(_REPEATED.search(text)) and not _REPEATED.search(reference)
        for text, reference in zip(said, references, strict=True)
    )
    empty = sum(not text and bool(reference) for text, reference in zip(said, references, strict=True))
    return words / max(wanted, 1), repeated, empty


def _covered(entry: AnsweredEntry) -> dict[int, tuple[list[str], list[str]]]:
    """The words of each sentence that were hardly looked at, and those that were looked at for several words."""
    table = entry.tables.get("coverage")
    if table is None:
        return {}
    rows = table.select("example", "left_out", "said_twice").iter_rows()
    return {k: ([_short(word) for word in out], [_short(word) for word in twice]) for k, out, twice in rows}


def _shares(entry: AnsweredEntry) -> tuple[float | None, float | None]:
    """The shares of the sources' words that were hardly looked at, or for several words; None where it is not known."""
    table = entry.tables.get("coverage")
    words = 0 if table is None else int(table["words"].sum())
    if table is None or not words:
        return None, None
    out, twice = (int(table[name].list.len().sum()) for name in ("left_out", "said_twice"))
    return out / words, twice / words


def _short(text: str) -> str:
    text = _CONTROLS.sub("\ufffd", text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
