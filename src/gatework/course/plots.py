"""Plots of the lessons: few calls, one look, the same colour for the same cell everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio

from gatework.pages.palette import CELL_COLOURS, OPENING, OTHER_COLOURS, SIGNED

# What JupyterLab, the notebook and VS Code draw by themselves, without a script from the network.
pio.renderers.default = "plotly_mimetype"

INK, GREY, PAPER = "#1b1b1d", "#6c6c74", "#fdfcfa"
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")

Curve = Any


def lines(
    curves: Mapping[str, Curve],
    *,
    x: str,
    y: str,
    log_y: bool = False,
    markers: Sequence[str] = (),
    quiet: Sequence[str] = (),
    dashed: Sequence[str] = (),
    height: int = 340,
) -> go.Figure:
    """Curves over one axis.

    Args:
        curves: By name: values, or a pair of positions and values. A name that begins with a cell's name has its
            colour; "actual" is drawn in ink.
        x: What the horizontal axis shows, with its unit.
        y: What the vertical axis shows, with its unit.
        log_y: Whether the vertical axis is logarithmic.
        markers: The names of curves drawn as points.
        quiet: The names of curves drawn in grey, as a limit is.
        dashed: The names of curves drawn in dashes, to tell two of one cell apart.
        height: In pixels.
    """
    figure = go.Figure()
    for place, (name, curve) in enumerate(curves.items()):
        at, values = curve if isinstance(curve, tuple) else (range(1, len(curve) + 1), curve)
        colour, dash = (GREY, "dot") if name in quiet else _look(name, place)
        dash = "dash" if name in dashed else dash
        figure.add_scatter(
            x=_plain(at),
            y=_plain(values),
            name=name,
            mode="markers" if name in markers else "lines",
            line={
                "color": colour,
                "dash": dash,
                "width": 2,
                "shape": "hvh" if len(set(_plain(values))) == 2 else "linear",
            },
            marker={"color": colour, "size": 8},
        )
    figure.update_yaxes(type="log" if log_y else "linear", exponentformat="power" if log_y else "none")
    return _dressed(figure, x, y, height, has_legend=len(curves) > 1)


def bars(values: Mapping[str, float], *, x: str, log_x: bool = False, form: str = ".3g") -> go.Figure:
    """One horizontal bar per name, the first on top.

    Args:
        values: By name; a name that begins with a cell's name has its colour.
        x: What the bars' length shows, with its unit.
        log_x: Whether the axis is logarithmic.
        form: How the values beside the bars are written.
    """
    names = list(values)
    # Many bars are steps of one thing, few are things of their own.
    colours = [_look(name, place if len(names) <= 8 else 2)[0] for place, name in enumerate(names)]
    texts = [format(value, form) for value in values.values()]
    numbers = [float(value) for value in values.values()]
    figure = go.Figure(
        go.Bar(
            x=numbers, y=names, orientation="h", text=texts, textposition="outside", cliponaxis=False, width=0.6,
            marker={"color": colours},
        )
    )  # fmt: skip
    figure.update_xaxes(type="log" if log_x else "linear", exponentformat="power" if log_x else "none")
    if min(numbers) < 0:
        reach = max(numbers) - min(numbers)  # room for the figures beside the bars
        figure.update_xaxes(range=[min(numbers) - 0.15 * reach, max(numbers) + 0.15 * reach])
    figure.update_yaxes(autorange="reversed", showgrid=False)
    dressed = _dressed(figure, x, "", 110 + (44 if len(names) <= 12 else 26) * len(names), has_legend=False)
    return dressed.update_layout(hovermode="closest", margin={"r": 70})


def heat(
    values: Any, *, x: str, y: str, columns: Sequence[Any] | None = None, rows: Sequence[Any] | None = None,
    limits: tuple[float, float] | None = None, height: int = 340,
) -> go.Figure:  # fmt: skip
    """A table of numbers as colours: rust below zero and blue above it; of gates white for shut and blue for open.

    Args:
        values: Shape (rows, columns).
        x: What the columns are.
        y: What the rows are.
        columns: A name for each column; numbers from 1 otherwise.
        rows: A name for each row; numbers from 1 otherwise.
        limits: The values at the two ends of the colours, of a gate (0, 1); symmetric about zero otherwise.
        height: In pixels.
    """
    table = np.asarray(values, dtype=float)
    most = float(np.abs(table).max())
    low, high = limits or (-most, most)
    colours = SIGNED if low < 0 else OPENING
    across = [str(k + 1) for k in range(table.shape[1])] if columns is None else [str(c) for c in columns]
    down = [str(k + 1) for k in range(table.shape[0])] if rows is None else [str(r) for r in rows]
    figure = go.Figure(
        go.Heatmap(
            z=table.round(4).tolist(), y=down, x=list(range(len(across))), zmin=low, zmax=high,
            colorscale=[list(stop) for stop in colours], colorbar={"thickness": 12, "outlinewidth": 0},
            hovertemplate=f"{y} %{{y}}, {x} %{{x}}<br>%{{z:.3f}}<extra></extra>",
        )
    )  # fmt: skip
    every = max(1, len(across) // 12) if columns is None else 1
    ticks = list(range(0, len(across), every))
    figure.update_xaxes(tickvals=ticks, ticktext=[across[k] for k in ticks], showgrid=False)
    # Of a category each: names that are numbers would otherwise be put in the order of their size.
    shown = down if len(down) <= 24 else down[:: len(down) // 8]
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False, tickvals=shown)
    return _dressed(figure, x, y, height, has_legend=False).update_layout(hovermode="closest")


def _look(name: str, place: int) -> tuple[str, str]:
    lowered = name.lower().replace("vanilla ", "")
    if lowered.startswith("actual"):
        return INK, "solid"
    cell = next(
        (c for c in sorted(CELL_COLOURS, key=len, reverse=True) if lowered.startswith(c.replace("_", " "))), None
    )
    if cell:
        return CELL_COLOURS[cell], "solid"
    return OTHER_COLOURS[place % len(OTHER_COLOURS)], _DASHES[place % len(_DASHES)]


def _plain(values: Any) -> list[float]:
    if hasattr(values, "detach"):
        values = values.detach()
    return [float(f"{float(v):.6g}") for v in values]


def _dressed(figure: go.Figure, x: str, y: str, height: int, *, has_legend: bool) -> go.Figure:
    axis = {"gridcolor": "#e8e6e1", "zeroline": False, "automargin": True, "ticks": "", "linecolor": "#d9d7d2"}
    figure.update_xaxes(title={"text": x}, **axis)
    figure.update_yaxes(title={"text": y}, **axis)
    return figure.update_layout(
        template="none",
        height=height,
        margin={"l": 60, "r": 20, "t": 40 if has_legend else 16, "b": 50},
        paper_bgcolor=PAPER,  # a ground of their own: the ink would be lost on a notebook's dark theme
        plot_bgcolor=PAPER,
        font={"size": 13, "color": INK, "family": "system-ui, 'Segoe UI', Roboto, Arial, sans-serif"},
        showlegend=has_legend,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        hovermode="x unified",
    )
