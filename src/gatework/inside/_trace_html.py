"""A trace in a notebook: every gate and state of one sequence as a picture, a row of points a unit."""

from __future__ import annotations

import html
from collections.abc import Mapping

import numpy as np

from gatework.formatting import counted, number
from gatework.pages.pixels import heat

_HIGHEST = 120


def trace_html(values: Mapping[str, np.ndarray], gates: tuple[str, ...], sequences: int, reads: tuple[str, ...]) -> str:
    """The table of a trace.

    Args:
        values: Each gate and state of the first sequence, shape (layers, directions, time, units).
        gates: Which of them are gates.
        sequences: How many sequences were traced.
        reads: What each step reads.
    """
    layers, directions, steps, _ = next(iter(values.values())).shape
    rows = [_row(name, array, is_gate=name in gates) for name, array in values.items()]
    where = [f"layer {layers} of {layers}"] * (layers > 1) + ["forward"] * (directions > 1)
    which = "one sequence" if sequences == 1 else f"the first of {counted(sequences, 'sequence')}"
    about = ", ".join([which, counted(steps, "step"), *where])
    text = html.escape(" ".join(reads)[:400])
    read = f"<p><code>{text}</code></p>" if text else ""
    head = "<tr><th></th><th>units by steps</th><th>lowest</th><th>mean</th><th>highest</th></tr>"
    legend = "gates: white is shut, blue is open; states: rust is below 0, blue above it"
    return f"<p>{html.escape(about)}; {legend}</p>{read}<table>{head}{''.join(rows)}</table>"


def _row(name: str, array: np.ndarray, *, is_gate: bool) -> str:
    shown = array[-1, 0].T
    height = max(min(_HIGHEST, 4 * len(shown)), 12)
    style = f"width:480px;height:{height}px;image-rendering:pixelated"
    is_share = is_gate and shown.size > 0 and shown.min() >= 0 and shown.max() <= 1
    picture = f'<img alt="{html.escape(name)}" src="{heat(shown, is_signed=not is_share)}" style="{style}">'
    figures = (shown.min(), shown.mean(), shown.max()) if shown.size else ()
    cells = "".join(f"<td>{number(float(value))}</td>" for value in figures)
    return f"<tr><th>{html.escape(name)}</th><td>{picture}</td>{cells}</tr>"
