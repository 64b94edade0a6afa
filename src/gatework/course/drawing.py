"""A drawing of the LSTM cell in which the gates light up with the values of a real run."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import count
from typing import Any

from gatework.errors import UsageError

_GATES = ("f", "i", "g", "o")
_NAMES = ("x", "h_before", "c_before", *_GATES, "c", "h")
_numbers = count(1)


class CellDrawing:
    """One unit of an LSTM layer, step by step; a notebook shows it with a slider over time.

    Args:
        trace: What `layer.trace(x)` gave: `i, f, g, o, c, h`, each of shape (layers, directions, time, batch, hidden).
        inputs: The input to show at each step, shape (time,); left blank if None.
        unit: Which unit of the layer.
        layer: Which layer.
        sequence: Which sequence of the batch.
        step: The step that is shown first, from 0.
        notes: A word about each step, such as a command that came with the input; none if None.

    Raises:
        UsageError: The trace is not an LSTM's, or has no such unit, layer, sequence or step.
    """

    def __init__(
        self,
        trace: Mapping[str, Any],
        inputs: Any = None,
        *,
        unit: int = 0,
        layer: int = 0,
        sequence: int = 0,
        step: int = 0,
        notes: Sequence[str] | None = None,
    ) -> None:
        missing = [name for name in (*_GATES, "c", "h") if name not in trace]
        if missing:
            raise UsageError(f"the drawing is of an LSTM cell, and this trace has no {', '.join(missing)}")
        try:
            rows = {name: trace[name][layer, 0, :, sequence, unit].tolist() for name in (*_GATES, "c", "h")}
        except IndexError:
            shape = tuple(trace["c"].shape)
            raise UsageError(
                f"the trace has the shape (layers, directions, time, batch, hidden) = {shape}, and no layer {layer}, "
                f"sequence {sequence}, unit {unit}; all three count from 0"
            ) from None
        steps = len(rows["c"])
        if not 0 <= step < steps:
            raise UsageError(f"the trace has {steps} steps, and no step {step}; steps count from 0")
        before = {"c_before": [0.0, *rows["c"][:-1]], "h_before": [0.0, *rows["h"][:-1]]}
        shown = [None] * steps if inputs is None else [float(value) for value in inputs]
        self.steps: list[dict[str, float | None]] = [
            {name: values[k] for name, values in {"x": shown, **before, **rows}.items()} for k in range(steps)
        ]
        self.step = step
        self._notes = [f": {note}" if note else "" for note in notes or [""] * steps]
        if len(self._notes) != steps:
            raise UsageError(f"the trace has {steps} steps, and there are {len(self._notes)} notes; give one for each")

    def _repr_html_(self) -> str:
        first = self.steps[self.step]
        values = {name: _text(first[name]) for name in _NAMES}
        drawing = _template("cell.svg")
        for name in _NAMES:
            drawing = drawing.replace(f"{{{name}}}", values[name])
            drawing = drawing.replace(f"{{{name}:light}}", _light(first[name]))
            drawing = drawing.replace(f"{{{name}:sign}}", "negative" if (first[name] or 0) < 0 else "positive")
        return (
            _template("cell.html")
            .replace("{name}", f"cell-drawing-{next(_numbers)}")
            .replace("{steps}", html.escape(json.dumps(self._rounded()), quote=True))
            .replace("{last}", str(len(self.steps)))
            .replace("{step}", str(self.step + 1))
            .replace("{note}", html.escape(self._notes[self.step]))
            .replace("{drawing}", drawing)
        )

    def _rounded(self) -> Sequence[Mapping[str, float | str | None]]:
        return [
            {name: None if v is None else round(v, 4) for name, v in step.items()} | {"note": note}
            for step, note in zip(self.steps, self._notes, strict=True)
        ]


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}".replace("-", "−")


def _light(value: float | None) -> str:
    return f"{min(1.0, abs(value or 0.0)):.3f}"


@cache
def _template(name: str) -> str:
    return files("gatework.course").joinpath("templates", name).read_text(encoding="utf-8")
