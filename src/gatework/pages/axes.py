"""Axes shared by several plots: their range, and ticks that a person would choose."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from gatework.formatting import number


@dataclass(frozen=True)
class Axis:
    """A linear or logarithmic axis.

    Attributes:
        low: The smallest value shown.
        high: The largest value shown.
        is_log: Whether equal factors are equally far apart.
    """

    low: float
    high: float
    is_log: bool

    @classmethod
    def over(cls, values: Iterable[float], log_from: float = 5.0) -> Axis:
        """A scale that holds these values, logarithmic where all are positive and span that factor or more."""
        finite = [v for v in values if math.isfinite(v)]
        low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
        if low > 0 and high / low >= log_from:
            pad = (high / low) ** 0.06
            return cls(low / pad, high * pad, True)
        pad = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
        return cls(low - pad, high + pad, False)

    def span(self) -> float:
        """The length of the axis: a difference, or the logarithm of a factor."""
        return math.log(self.high / self.low) if self.is_log else self.high - self.low

    def at(self, value: float) -> float:
        """Where a value lies, in per cent of the axis; clipped to it."""
        if self.is_log:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return round(100 * min(max(share, 0.0), 1.0), 2)

    def ticks(self, most: int = 7) -> list[tuple[float, str]]:
        """Tick values and their labels."""
        if self.is_log:
            return [
                (value, f"{value:g}" if 1e-4 <= value < 1e6 else number(value, 1)) for value in self._log_ticks(most)
            ]
        ticks = self._linear_ticks(most)
        places = max(0, *(-int(Decimal(repr(value)).normalize().as_tuple().exponent) for value in ticks))
        return [(value, f"{value:.{places}f}" if value and places < 8 else f"{value:g}") for value in ticks]

    def _log_ticks(self, most: int) -> list[float]:
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for steps in ((1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
            ticks = [float(f"{s}e{d}") for d in decades for s in steps]
            ticks = [v for v in ticks if self.low <= v <= self.high]
            if len(ticks) <= most:
                return ticks
        return ticks[:: math.ceil(len(ticks) / most)]

    def _linear_ticks(self, most: int) -> list[float]:
        rough = (self.high - self.low) / most
        power = math.floor(math.log10(rough))
        factor = next(f for f in (1, 2, 5, 10) if f * 10.0**power >= rough)
        step = float(f"{factor}e{power}")
        first = math.ceil(self.low / step)
        return [float(f"{k * step:.12g}") for k in range(first, math.floor(self.high / step) + 1)]

    def axis(self) -> dict[str, object]:
        """The scale as plotly's axis properties."""
        ends = [math.log10(v) for v in (self.low, self.high)] if self.is_log else [self.low, self.high]
        ticks = self.ticks()
        return {
            "type": "log" if self.is_log else "linear",
            "range": [round(v, 4) if self.is_log else float(f"{v:.5g}") for v in ends],
            "tickvals": [value for value, _ in ticks],
            "ticktext": [label for _, label in ticks],
        }
