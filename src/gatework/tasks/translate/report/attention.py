"""Where the networks look as they translate, word by word, beside the dictionary's alignment."""

from __future__ import annotations

from typing import Any

from gatework.tasks._section import Answered, AnsweredEntry, ReportSection, section_file

_SHARE = 0.3
"""A share of the dictionary from which on its alignment is marked."""


def attention(answered: Answered) -> ReportSection | None:
    """A picture for each network and some sentences; None where no network has attention."""
    pictures: dict[int, list[dict[str, Any]]] = {}
    for entry in answered.networks:
        for picture in _pictures(entry):
            pictures.setdefault(picture["example"], []).append(picture)
    if not pictures:
        return None
    texts, targets = answered.column("text").to_list(), answered.column("target").to_list()
    shown = [(texts[k], targets[k], pictures[k]) for k in pictures if k < len(texts)]
    return ReportSection(
        name="attention",
        title="Where the network looks",
        template=section_file(__package__, "attention.html"),
        context={"sentences": shown, "is_alone": len(answered.networks) == 1},
    )


def _pictures(entry: AnsweredEntry) -> list[dict[str, Any]]:
    """The attention of each sentence that the run keeps: words, weights in hundredths, and the dictionary's marks."""
    table = entry.tables.get("attention")
    if table is None or not entry.is_network:
        return []
    return [
        {
            "model": entry.name,
            "example": row["example"],
            "source": [*row["source"], "⏎"],
            "rows": [
                (word, [(round(100 * w), place < len(marks) and marks[place] >= _SHARE) for place, w in enumerate(ws)])
                for word, ws, marks in zip(row["target"], row["weights"], row["lexicon"], strict=True)
            ],
        }
        for row in table.to_dicts()
    ]
