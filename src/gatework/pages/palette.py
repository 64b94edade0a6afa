"""One fixed colour, dash and marker per cell in every plot; baselines have muted ones.

The four built-in cells take hues that stay apart for the common forms of colour blindness (after Okabe and Ito, 2008);
the markers and dashes differ as well, so that no plot relies on colour alone. Pages use the colours as custom
properties of their style sheet, which `theme_css()` writes; figures in notebooks use the light ones.
"""

from __future__ import annotations

from collections.abc import Iterable

_PROPERTIES = {
    "--paper": ("#fdfcfa", "#17181b"),
    "--ink": ("#1b1b1d", "#eceae6"),
    "--ink-2": ("#55555c", "#b3b2b0"),
    "--ink-3": ("#6f6f78", "#96959a"),
    "--rule": ("#d9d7d2", "#3a3b40"),
    "--grid": ("#e8e6e1", "#2b2c31"),
    "--wash": ("#f3f1ec", "#202126"),
    "--link": ("#0b5fa8", "#7db8f0"),
    "--ring": ("#1b1b1d", "#f5f3ef"),
    "--good": ("#1a7f4b", "#5fd093"),
    "--bad": ("#b3261e", "#ff8f86"),
    # How much of "--bad" is under what surprised most, so that it can still be read.
    "--surprise": ("62%", "48%"),
    "--cell-lstm": ("#0069b5", "#5cadf5"),
    "--cell-gru": ("#cc5200", "#ff9455"),
    "--cell-rnn": ("#00856a", "#35c9a5"),
    "--cell-rnn-relu": ("#b0559c", "#e48fd0"),
    "--cell-other-0": ("#8a6a00", "#d9b740"),
    "--cell-other-1": ("#4a4aa8", "#a5a5f5"),
    "--cell-other-2": ("#a03a50", "#f08aa0"),
    "--cell-other-3": ("#2f8fb5", "#7fd0ee"),
    "--cell-other-4": ("#6b7a1e", "#b9cc5a"),
    "--baseline-0": ("#6c6c74", "#a0a0a8"),
    "--baseline-1": ("#8a6d5a", "#c2a48f"),
    "--baseline-2": ("#5b6b7b", "#9fb2c6"),
    "--baseline-3": ("#74793f", "#b4ba7c"),
    "--baseline-4": ("#7d6384", "#bea3c6"),
    "--baseline-5": ("#4f7a78", "#8fbfbc"),
}
_CELLS = {
    "lstm": ("--cell-lstm", "circle"),
    "gru": ("--cell-gru", "square"),
    "rnn": ("--cell-rnn", "diamond"),
    "rnn_relu": ("--cell-rnn-relu", "triangle-up"),
}
_OTHERS = tuple(name for name in _PROPERTIES if name.startswith("--cell-other"))
BASELINES = tuple(name for name in _PROPERTIES if name.startswith("--baseline"))
"""The custom properties of the colours that baselines take in turn."""
_OTHER_MARKERS = ("triangle-down", "pentagon", "hexagram", "star", "bowtie")

CELL_COLOURS = {cell: _PROPERTIES[name][0] for cell, (name, _) in _CELLS.items()}
"""The colours of the built-in cells on light ground, by the cell's name."""
OTHER_COLOURS = tuple(_PROPERTIES[name][0] for name in _OTHERS)
"""The colours that other cells take in turn, on light ground."""


SIGNED = ((0.0, "#b3431e"), (0.25, "#e9a583"), (0.5, "#f7f5f0"), (0.75, "#86b6dc"), (1.0, "#0b5fa8"))
"""The colours of a value that may be negative, from the lowest to the highest: rust, white at zero, blue."""
OPENING = ((0.0, "#f7f5f0"), (0.5, "#86b6dc"), (1.0, "#083e70"))
"""The colours of a gate, from shut to open: white to blue."""


def theme_css() -> str:
    """The custom properties of every page: light, dark where the system is, and dark by the page's button."""
    light, dark = (" ".join(f"{name}: {pair[k]};" for name, pair in _PROPERTIES.items()) for k in (0, 1))
    return (
        f":root {{ color-scheme: light; {light} }}\n"
        f'@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ color-scheme: dark; {dark} }} }}\n'
        f':root[data-theme="dark"] {{ color-scheme: dark; {dark} }}\n'
    )


def cell_looks(cells: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The colour and the marker of each cell, by its name; cells without ones of their own take them in turn."""
    names = list(dict.fromkeys(cells))
    others = [name for name in names if name not in _CELLS]
    turns = {
        name: (_OTHERS[k % len(_OTHERS)], _OTHER_MARKERS[k % len(_OTHER_MARKERS)]) for k, name in enumerate(others)
    }
    return {name: _CELLS.get(name) or turns[name] for name in names}
