"""What the network wrote by itself as it learnt."""

from __future__ import annotations

from typing import Any

import numpy as np

from gatework.formatting import number
from gatework.tasks._section import Answered, ReportSection, section_file
from gatework.tasks.generate.report.pieces import shown

_MOST = 5


def written(answered: Answered) -> ReportSection | None:
    """A text of the first epoch, of the last one, and of some between; None where none is known."""
    entry = next((entry for entry in answered.networks if any(epoch.get("sample") for epoch in entry.epochs)), None)
    if entry is None:
        return None
    epochs = [epoch for epoch in entry.epochs if epoch.get("sample")]
    # Most is learnt in the beginning: the places lie at even factors.
    places = np.unique(np.round(np.geomspace(1, len(epochs), min(_MOST, len(epochs)))).astype(int)) - 1
    seconds = np.cumsum([float(epoch.get("seconds") or 0.0) for epoch in epochs])
    texts: list[dict[str, Any]] = [
        {
            "text": shown(str(epochs[k]["sample"])),
            "epoch": epochs[k]["epoch"],
            "seconds": number(float(seconds[k])),
            "bits": number(epochs[k].get("validation_bits_per_character")),
        }
        for k in places
    ]
    return ReportSection(
        name="written",
        title="What it writes",
        template=section_file(__package__, "written.html"),
        context={"texts": texts},
    )
