"""The beginning of the test part, each token in the colour of its bits."""

from __future__ import annotations

from gatework.formatting import rounded
from gatework.tasks._section import Answered, ReportSection, section_file
from gatework.tasks.generate.report.pieces import shown

# Bits at which a token has the full colour.
_FULL = 8.0


def surprise(answered: Answered) -> ReportSection | None:
    """How surprised the network is by each token, beside the n-grams; None where that is not known."""
    entry = next((entry for entry in answered.networks if "surprise" in entry.tables), None)
    if entry is None or not len(entry.tables["surprise"]):
        return None
    table = entry.tables["surprise"]
    tokens = [
        {
            "text": shown(text),
            "bits": rounded(bits, 3),
            "counts": rounded(counts, 3),
            "share": rounded(min(bits / _FULL, 1.0), 3),
            "count_share": rounded(min(counts / _FULL, 1.0), 3),
        }
        for text, bits, counts in table.select("text", "network", "counts").iter_rows()
    ]
    return ReportSection(
        name="surprise",
        title="Where it is surprised",
        template=section_file(__package__, "surprise.html"),
        context={"tokens": tokens, "full": _FULL},
        script=section_file(__package__, "surprise.js"),
    )
