"""What the network copies from its training part, against what any text of the kind has in common with it."""

from __future__ import annotations

from gatework.tasks._section import Answered, ReportSection, section_file
from gatework.tasks.generate.novelty import LENGTHS
from gatework.tasks.generate.report.pieces import shown

# The share of new runs may be so far below that of a held-back text before it is called copying.
_SLACK = 0.1


def copies(answered: Answered) -> ReportSection | None:
    """How much of what is written is new; None where that is not known."""
    entry = next((entry for entry in answered.networks if "novelty" in entry.tables), None)
    if entry is None:
        return None
    rows = entry.tables["novelty"].to_dicts()
    longest = next(row for row in rows if row["length"] == 0)
    shares = [row for row in rows if row["length"] and row["wrote"] == row["wrote"]]
    run = next((row for row in shares if row["length"] == LENGTHS[2]), None)
    pieces = [(shown(text), copied) for text, copied in entry.tables["written"].iter_rows()]
    return ReportSection(
        name="copies",
        title="What is copied",
        template=section_file(__package__, "copies.html"),
        context={
            "shares": shares,
            "longest": {**longest, "text": shown(longest["text"]), "held_text": shown(longest["held_text"])},
            "does_copy": run is not None and run["wrote"] < run["held"] - _SLACK,
            "run": LENGTHS[1],
            "pieces": pieces,
        },
    )
