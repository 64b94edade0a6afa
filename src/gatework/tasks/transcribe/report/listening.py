"""The worst recordings to hear, with what was heard in them: spectrogram and spikes of letters."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from gatework.tasks._hearable import address_of
from gatework.tasks._section import Answered, ReportSection, column_of, section_file
from gatework.tasks.transcribe.metrics import aligned


def listening(answered: Answered) -> ReportSection | None:
    """The recordings that the best network's run has kept; None where it has kept none."""
    entry = answered.networks[0]
    heard = entry.tables.get("heard")
    if heard is None or not len(heard):
        return None
    references, texts = column_of(entry, "reference").to_list(), column_of(entry, "text").to_list()
    names = answered.column("audio").to_list()
    items: list[dict[str, Any]] = []
    for row in heard.iter_rows(named=True):
        place = row["place"]
        items.append(
            {
                "name": names[place],
                "words": aligned(references[place], texts[place]),
                "sound": address_of(row["sound"]),
            }
        )
    data = [
        {
            "seconds": row["seconds"],
            "bands": row["bands"],
            "picture": b64encode(row["picture"]).decode(),
            "spikes": [[spike["at"], spike["letter"], spike["share"]] for spike in row["spikes"]],
        }
        for row in heard.iter_rows(named=True)
    ]
    return ReportSection(
        "listening",
        "The worst recordings, to hear",
        section_file(__package__, "listening.html"),
        {"items": items, "model": entry.name},
        data,
        section_file(__package__, "listening.js"),
    )
