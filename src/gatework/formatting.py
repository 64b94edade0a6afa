"""Numbers in words, as a reader wants them: as many digits as the spread over seeds supports."""

from __future__ import annotations

import math
import os
import textwrap
from collections.abc import Sequence
from functools import partial
from typing import Any, TextIO

_FIGURE_SPACE = "\u2007"


def with_spread(mean: float, std: float, values: int) -> str:
    """A mean and its standard deviation over so many values, as "0.00186 ± 0.00004"; a single value stands alone."""
    if values < 2 or not math.isfinite(std) or std == 0:
        return number(mean)
    places = _places(std, 2 if _leading_digit(std) == 1 else 1)
    places = min(places, _places(mean, 4)) if mean else places
    if abs(mean) < 1e-6 or places > 8:
        return f"{number(mean)} ± {number(std, 1)}"
    places = max(places, 0)
    spread = f"{std:.{places}f}"
    if float(spread) == 0:
        spread = f"{std:.{_places(std, 1)}f}"
    return f"{mean:,.{places}f} ± {spread}"


def aligned(texts: list[str]) -> list[str]:
    """Texts that start with a number, padded in front so that decimal points stand below each other."""
    widths = [len(text.partition(".")[0].partition(" ")[0]) for text in texts]
    return [_FIGURE_SPACE * (max(widths) - width) + text for text, width in zip(texts, widths, strict=True)]


def number(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits: "0.0063", "5,121", "1.5 × 10⁻⁷"; "—" where there is none."""
    if value is None or not isinstance(value, (int, float)) or math.isnan(value):
        return "—"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    if isinstance(value, int) or abs(value) >= 10**digits:
        return f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.{digits - 1}e}"
    if abs(value) < 1e-6:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa} × 10" + str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{value:.{max(_places(value, digits), 0)}f}"


def rounded(value: Any, digits: int = 5) -> float | None:
    """A number for a plot, with few digits; None, a gap in a line, where it is not finite."""
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(f"{value:.{digits}g}")


def counted(count: int, noun: str) -> str:
    """A count with its noun: "1 seed", "3 seeds", "7,000 examples"."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def spell(seconds: float) -> str:
    """A span of time in words: "7 seconds", "1.5 minutes", "12 minutes", "3.4 hours"."""
    if seconds < 90:
        return counted(max(round(seconds), 1), "second")
    value, unit = (seconds / 60, "minutes") if seconds < 5400 else (seconds / 3600, "hours")
    return f"{number(value, 2).removesuffix('.0')} {unit}"


def size(count: int) -> str:
    """A number of bytes in words: "812 kB", "3.4 MB", "25 MB"."""
    if count < 999_500:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e6:.1f} MB" if count < 9.95e6 else f"{count / 1e6:.0f} MB"


def _leading_digit(value: float) -> int:
    return int(f"{abs(value):e}"[0])


def _places(value: float, digits: int) -> int:
    # Decimal places that show so many significant digits, after rounding (0.0996 with one digit is 0.1).
    return digits - 1 - int(f"{abs(value):.{digits - 1}e}".partition("e")[2])


def printable(text: str) -> str:
    """A text for a terminal, with every control character as its code: nothing in data may steer the terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text)


def is_animated(stream: TextIO) -> bool:
    """Whether a line that was written can be written over, as a bar is; on a dumb terminal nothing would be seen."""
    return stream.isatty() and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")


def wrapped(text: str, stream: TextIO, indent: int = 0) -> str:
    """A sentence as it is written to a stream: cut between words at a terminal's width, in one line elsewhere.

    Args:
        text: The sentence, or several lines.
        stream: Where it goes.
        indent: The blanks before all but the first of the lines that it is cut into, as beside a column of names.
    """
    try:
        width = os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except (OSError, ValueError):
        return text
    # A path or a command that is longer than a line stays whole, so that it can be copied.
    if width < 1:
        return text
    below = " " * (indent if 2 * indent < width else 2)
    fill = partial(textwrap.fill, width=width, subsequent_indent=below, break_long_words=False, break_on_hyphens=False)
    return "\n".join(map(fill, text.split("\n")))
