"""One fixed colour, dash and marker per cell in every plot; baselines are grey.

The four built-in cells take hues that stay apart for the common forms of colour blindness (after Okabe and Ito, 2008);
the markers and dashes differ as well, so that no plot relies on colour alone. The colours themselves are custom
properties of the style sheet, one value for light and one for dark.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gatework.reports.folders import Entry

_CELLS = {
    "lstm": ("--cell-lstm", "circle"),
    "gru": ("--cell-gru", "square"),
    "rnn": ("--cell-rnn", "diamond"),
    "rnn_relu": ("--cell-rnn-relu", "triangle-up"),
}
_OTHER_MARKERS = ("triangle-down", "pentagon", "hexagram", "star", "bowtie")
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


def cell_looks(cells: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The colour and the marker of each cell, by its name; cells without ones of their own take them in turn."""
    names = list(dict.fromkeys(cells))
    others = [name for name in names if name not in _CELLS]
    turns = {
        name: (f"--cell-other-{k % len(_OTHER_MARKERS)}", _OTHER_MARKERS[k % len(_OTHER_MARKERS)])
        for k, name in enumerate(others)
    }
    return {name: _CELLS.get(name) or turns[name] for name in names}


def looks(entries: Iterable[Entry]) -> dict[str, Look]:
    """How each entry is drawn, by its name."""
    found: dict[str, Look] = {}
    cells: dict[str, int] = {}
    baselines = 0
    entries = sorted(entries, key=lambda e: e.name)
    drawn = cell_looks(entry.cell for entry in entries if entry.is_network)
    for entry in entries:
        if not entry.is_network:
            marker = _BASELINE_MARKERS[baselines % len(_BASELINE_MARKERS)]
            dash = _DASHES[1 + baselines % (len(_DASHES) - 1)]
            found[entry.name] = Look(f"--baseline-{baselines % 3}", marker, dash)
            baselines += 1
            continue
        colour, marker = drawn[entry.cell]
        repeat = cells.get(entry.cell, 0)
        cells[entry.cell] = repeat + 1
        marker += "-open" if repeat % 2 else ""
        found[entry.name] = Look(colour, marker, _DASHES[repeat % len(_DASHES)])
    return found
