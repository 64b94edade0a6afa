"""The classes of characters that the tokeniser names, as the regular expressions of a page can hold them.

A browser may know another version of Unicode than the tokeniser's own engine does, and so other letters and other
emoji. The page therefore brings the classes with it, read out of that engine.
"""

from __future__ import annotations

import functools
import json

import numpy as np

from gatework.data.tokens import UNSPACED

_CLASSES = {
    "letter": r"\p{L}",
    "number": r"\p{N}",
    "mark": r"\p{M}",
    "emoji": r"\p{Extended_Pictographic}",
    "unspaced": f"[{UNSPACED}]",
}
_SURROGATES = range(0xD800, 0xE000)
_CODE_POINTS = 0x110000


@functools.cache
def characters_script() -> str:
    """The script that defines `CHARACTERS`: each class as what stands between the brackets of a JavaScript class."""
    import polars as pl

    points = np.array([p for p in range(_CODE_POINTS) if p not in _SURROGATES])
    characters = pl.Series([chr(p) for p in points])
    ranges = {name: _ranges(points[characters.str.contains(pattern).to_numpy()]) for name, pattern in _CLASSES.items()}
    return f'"use strict";\n\nconst CHARACTERS = {json.dumps(ranges, indent=0)};\n'


def _ranges(points: np.ndarray) -> str:
    parts = np.split(points, np.flatnonzero(np.diff(points) > 1) + 1)
    ends = [(int(part[0]), int(part[-1])) for part in parts if len(part)]
    return "".join(f"\\u{{{low:X}}}" + (f"-\\u{{{high:X}}}" if high > low else "") for low, high in ends)
