"""Which words are taken for which, left out and made up, most often first."""

from __future__ import annotations

from collections import Counter

from gatework.tasks._section import Answered, ReportSection, column_of, section_file
from gatework.tasks.transcribe.metrics import aligned

_MOST = 12


def confusions(answered: Answered) -> ReportSection:
    """The commonest confusions of the best network."""
    entry = answered.networks[0]
    taken, missing, added = Counter[tuple[str, str]](), Counter[str](), Counter[str]()
    for reference, text in zip(column_of(entry, "reference"), column_of(entry, "text"), strict=True):
        for said, written in aligned(reference, text):
            if said and written and said != written:
                taken[said, written] += 1
            elif said and not written:
                missing[said] += 1
            elif written and not said:
                added[written] += 1
    context = {
        "model": entry.name,
        "taken": [(*pair, count) for pair, count in taken.most_common(_MOST)],
        "missing": missing.most_common(_MOST),
        "added": added.most_common(_MOST),
        "counts": (taken.total(), missing.total(), added.total()),
    }
    return ReportSection("confusions", "What is taken for what", section_file(__package__, "confusions.html"), context)
