"""Charts of predictions, as a task describes them and a page or an image draws them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["known", "said", "expected"]


@dataclass(frozen=True)
class Curve:
    """A line over the positions of a chart.

    Attributes:
        name: What it shows.
        values: One value per position, None where there is none.
        kind: "known" for what was observed, "said" for what a model says, and "expected" for what it compares with.
    """

    name: str
    values: Sequence[float | None]
    kind: Kind = "known"


@dataclass(frozen=True)
class Band:
    """The room between two lines, such as an interval of a forecast.

    Attributes:
        name: What it shows: "80 % interval".
        low: Its lower edge, one value per position, None where there is none.
        high: Its upper edge.
    """

    name: str
    low: Sequence[float | None]
    high: Sequence[float | None]


@dataclass(frozen=True)
class Chart:
    """Lines and bands over time, or bars.

    Attributes:
        title: What it shows.
        positions: Times in ISO form, numbers, or the names of bars.
        curves: The lines; none where it has bars.
        bands: The bands below the lines, the widest first.
        spans: Stretches of positions that stand out, the first and last position of each.
        bars: The length of each bar; none where it has lines.
        unit: What the values are, for the axis.
    """

    title: str
    positions: Sequence[str | float]
    curves: Sequence[Curve] = ()
    bands: Sequence[Band] = ()
    spans: Sequence[tuple[str | float, str | float]] = ()
    bars: Sequence[float] = ()
    unit: str = ""

    def state(self) -> dict[str, Any]:
        """The chart as values that JSON can hold."""
        return dataclasses.asdict(self)


def known(values: Sequence[float | None]) -> list[float | None]:
    """Values with few digits; None in the place of what is no number."""
    return [None if v is None or not math.isfinite(v) else float(f"{v:.6g}") for v in values]


def histogram(title: str, values: Sequence[float], unit: str, bins: int = 20) -> Chart:
    """How often values fall into ranges of equal width."""
    import numpy as np

    finite = np.asarray(values, dtype=np.float64)
    counts, edges = np.histogram(finite[np.isfinite(finite)], bins=bins)
    centres = ((edges[:-1] + edges[1:]) / 2).tolist()
    return Chart(title, [float(f"{c:.4g}") for c in centres], bars=counts.tolist(), unit=unit)
