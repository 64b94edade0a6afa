"""A picture of predictions: one page that opens offline, or an image."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatework._files import atomic
from gatework.errors import UsageError
from gatework.pages.palette import CELL_COLOURS
from gatework.reports.page import write_page
from gatework.tasks import Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_IMAGES = (".png", ".svg", ".pdf")
_MOST_CHARTS = 24
_WIDTH, _HEIGHT = 9.0, 3.2
_INK, _GREY, _LINE = "#1b1b1d", "#6f6f78", CELL_COLOURS["lstm"]


def plot(charts: Sequence[Chart], out: str | os.PathLike[str], title: str = "Predictions") -> Path:
    """Draws charts one below the other into a file.

    Args:
        charts: What `Task.charts()` gives.
        out: A file that ends with .html, or with .png, .svg or .pdf for an image.
        title: The heading.

    Returns:
        The path of the file.

    Raises:
        UsageError: The file's ending is none of these, or there is nothing to draw.
        RunError: The file cannot be written.
    """
    out = Path(out)
    if not charts:
        raise UsageError("there is nothing to draw: no prediction was made")
    shown = charts[:_MOST_CHARTS]
    if out.suffix == ".html":
        note = f"The first {_MOST_CHARTS} of {len(charts):,} are drawn." if len(charts) > len(shown) else ""
        data = {"charts": [chart.state() for chart in shown]}
        return write_page(out, "picture.html", data, title=title, charts=shown, note=note, version=None)
    if out.suffix not in _IMAGES:
        raise UsageError(f'--plot {out} ends with "{out.suffix}", expected .html, {", ".join(_IMAGES)}')
    return _image(shown, out, title)


def _image(charts: Sequence[Chart], out: Path, title: str) -> Path:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError(
            f'an image needs matplotlib: pip install "gatework[plot]", or write --plot {out.with_suffix(".html")}'
        ) from None
    figure = Figure(figsize=(_WIDTH, _HEIGHT * len(charts) + 0.4), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, color=_GREY)
    for chart, axes in zip(charts, figure.subplots(len(charts), squeeze=False)[:, 0], strict=True):
        _draw(chart, axes)
    with atomic(out) as temporary:
        figure.savefig(temporary, dpi=144, format=out.suffix[1:])
    return out


def _draw(chart: Chart, axes: Axes) -> None:
    axes.set_title(chart.title, loc="left", fontsize=10, color=_INK)
    axes.set_ylabel(chart.unit)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=_GREY, labelsize=8)
    if chart.bars:
        positions = list(map(str, chart.positions)) if isinstance(chart.positions[0], str) else chart.positions
        width = 0.8 if isinstance(chart.positions[0], str) else 0.9 * _gap(chart.positions)
        axes.bar(positions, chart.bars, width=width, color=_LINE)
        return
    x = [_moment(position) for position in chart.positions]
    for k, band in enumerate(chart.bands):
        low, high = _numbers(band.low), _numbers(band.high)
        axes.fill_between(x, low, high, color=_LINE, alpha=0.16 + 0.1 * k, linewidth=0, label=band.name)
    for curve in chart.curves:
        style: dict[str, Any] = {"color": _INK if curve.kind == "known" else _LINE, "linewidth": 1.1}
        if curve.kind == "expected":
            style |= {"linestyle": "dotted"}
        axes.plot(x, _numbers(curve.values), label=curve.name, **style)
    for first, last in chart.spans:
        axes.axvspan(_moment(first), _moment(last), color=_INK, alpha=0.25, linewidth=1)
    axes.legend(fontsize=7, frameon=False, loc="upper left", ncols=4)


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [float("nan") if value is None else value for value in values]


def _gap(positions: Sequence[Any]) -> float:
    return abs(positions[1] - positions[0]) if len(positions) > 1 else 1.0


def _moment(position: str | float) -> Any:
    """A time of day or a date where it is one."""
    try:
        return datetime.fromisoformat(position) if isinstance(position, str) else position
    except ValueError:
        return position
