"""One fixed colour, dash and marker per entry in every plot of a report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gatework.pages.palette import BASELINES, cell_looks
from gatework.reports.folders import Entry

_BASELINE_MARKERS = ("cross-thin-open", "x-thin-open", "asterisk-open", "y-up-open", "line-ew-open", "hash-open")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


@dataclass(frozen=True)
class Look:
    """How one entry is drawn.

    Attributes:
        colour: The name of a custom property of the style sheet.
        marker: A plotly marker symbol.
        dash: A plotly line dash.
    """

    colour: str
    marker: str
    dash: str


def looks(entries: Iterable[Entry]) -> dict[str, Look]:
    """How each entry is drawn, by its name."""
    by_name: dict[str, Look] = {}
    repeats: dict[str, int] = {}
    baselines = 0
    entries = sorted(entries, key=lambda e: e.name)
    drawn = cell_looks(entry.cell for entry in entries if not entry.is_baseline)
    for entry in entries:
        if entry.is_baseline:
            marker = _BASELINE_MARKERS[baselines % len(_BASELINE_MARKERS)]
            dash = _DASHES[1 + baselines % (len(_DASHES) - 1)]
            by_name[entry.name] = Look(BASELINES[baselines % len(BASELINES)], marker, dash)
            baselines += 1
            continue
        colour, marker = drawn[entry.cell]
        repeat = repeats.get(entry.cell, 0)
        repeats[entry.cell] = repeat + 1
        marker += "-open" if repeat % 2 else ""
        by_name[entry.name] = Look(colour, marker, _DASHES[repeat % len(_DASHES)])
    return by_name
