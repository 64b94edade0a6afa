r"""A drawing of every way in which a text can be written over a few steps: the trellis of CTC, with its sums.

Rows are the text with a blank before, between and behind its letters; columns are steps. With $y_t(s)$ the probability
of row $s$'s symbol at step $t$, the forward sum is

$$ \alpha_t(s) = y_t(s) \big(\alpha_{t-1}(s) + \alpha_{t-1}(s-1) + [\text{may skip}]\, \alpha_{t-1}(s-2)\big) $$

where a row may be skipped if it is a blank between two letters that differ.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gatework.errors import UsageError

BLANK = "–"
_COLUMN, _ROW, _LEFT, _TOP, _RADIUS = 150, 66, 90, 60, 27


class AlignmentDrawing:
    """All paths of a text over a few steps; a notebook shows them, each place as dark as the share of paths through it.

    Args:
        likely: The probability of each symbol at each step, shape (steps, symbols).
        symbols: The names of the symbols, the blank's first.
        text: The symbols that are written, in order, without blanks.

    Raises:
        UsageError: The text has a symbol that is not among them, or too few steps.
    """

    def __init__(self, likely: Any, symbols: Sequence[str], text: Sequence[str]) -> None:
        unknown = [symbol for symbol in text if symbol not in symbols[1:]]
        if unknown:
            raise UsageError(f'"{unknown[0]}" is none of the symbols {", ".join(symbols[1:])}')
        places = [0]
        for symbol in text:
            places += [list(symbols).index(symbol), 0]
        self.rows = [symbols[place] if place else BLANK for place in places]
        # Shape (steps, rows): what each step says of each row.
        self.likely = np.asarray(likely, dtype=float)[:, places]
        self._may_skip = [k >= 2 and places[k] not in (0, places[k - 2]) for k in range(len(places))]
        self.forward = self._forward()
        self.total = float(self.forward[-1, -2:].sum())
        if self.total == 0:
            raise UsageError(f"{len(self.likely)} steps are too few to write {''.join(text)}")
        self._backward = self._backward_sums()

    def shares(self) -> np.ndarray:
        """The share of the text's probability that runs through each place, shape (steps, rows)."""
        return self.forward * self._backward / self.total

    def _before(self, row: int) -> Iterator[int]:
        """The rows that a path may come from."""
        yield row
        if row >= 1:
            yield row - 1
        if self._may_skip[row]:
            yield row - 2

    def _forward(self) -> np.ndarray:
        sums = np.zeros_like(self.likely)
        sums[0, :2] = self.likely[0, :2]
        for t in range(1, len(sums)):
            for row in range(len(self.rows)):
                sums[t, row] = self.likely[t, row] * sum(sums[t - 1, before] for before in self._before(row))
        return sums

    def _backward_sums(self) -> np.ndarray:
        sums = np.zeros_like(self.likely)
        sums[-1, -2:] = 1
        for t in range(len(sums) - 1, 0, -1):
            for row in range(len(self.rows)):
                for before in self._before(row):
                    sums[t - 1, before] += self.likely[t, row] * sums[t, row]
        return sums

    def _repr_html_(self) -> str:
        steps = len(self.likely)
        width, height = _LEFT + _COLUMN * (steps - 1) + 60, _TOP + _ROW * (len(self.rows) - 1) + 50
        said = (
            f"Every way to write {' '.join(row for row in self.rows if row != BLANK)} in {steps} steps: a circle for "
            f"each step and each symbol or blank, with the sum of all ways to get there"
        )
        return (
            f'<svg class="alignment" role="img" aria-label="{html.escape(said, quote=True)}" '
            f'viewBox="0 0 {width} {height}" style="max-width:{width}px;width:100%;height:auto" '
            f'font-family="system-ui, sans-serif" font-size="15" text-anchor="middle" fill="currentColor">'
            f"{''.join(self._arrows())}{''.join(self._labels())}{''.join(self._circles())}</svg>"
        )

    def _labels(self) -> Iterator[str]:
        for t in range(len(self.likely)):
            yield f'<text x="{_LEFT + _COLUMN * t}" y="18">step {t + 1}</text>'
        for row, symbol in enumerate(self.rows):
            place = _TOP + _ROW * row + 6
            yield f'<text x="24" y="{place}" font-size="19" font-weight="600">{html.escape(symbol)}</text>'

    def _arrows(self) -> Iterator[str]:
        for t in range(1, len(self.likely)):
            for row in range(len(self.rows)):
                for before in self._before(row):
                    weight = self.forward[t - 1, before] * self.likely[t, row] * self._backward[t, row] / self.total
                    if weight > 0:
                        yield (
                            f'<line x1="{_LEFT + _COLUMN * (t - 1)}" y1="{_TOP + _ROW * before}" '
                            f'x2="{_LEFT + _COLUMN * t}" y2="{_TOP + _ROW * row}" stroke="currentColor" '
                            f'stroke-opacity="0.5" stroke-width="{1 + 7 * weight:.1f}"/>'
                        )

    def _circles(self) -> Iterator[str]:
        for (t, row), share in np.ndenumerate(self.shares()):
            if share > 0:
                # White at 0, as a gate that is shut; ink on light places and paper on dark ones.
                ground, ink = f"rgb({247 - 239 * share:.0f},{245 - 183 * share:.0f},{240 - 128 * share:.0f})", "#1b1b1d"
                yield (
                    f"<g><title>{100 * share:.0f} % of the probability runs through here</title>"
                    f'<circle cx="{_LEFT + _COLUMN * t}" cy="{_TOP + _ROW * row}" r="{_RADIUS}" fill="{ground}" '
                    f'stroke="currentColor" stroke-opacity="0.6"/>'
                    f'<text x="{_LEFT + _COLUMN * t}" y="{_TOP + _ROW * row + 5}" '
                    f'fill="{"#fdfcfa" if share > 0.62 else ink}">{self.forward[t, row]:.3f}</text></g>'
                )
