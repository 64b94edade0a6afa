"""Numbers and names as a reader wants them: as many digits as the spread over seeds supports."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gatework.config import AROUND
from gatework.reports.folders import Metric

_METRICS = {
    "mse": "MSE",
    "mae": "MAE",
    "rmse": "RMSE",
    "macro_f1": "macro F1",
    "roc_auc": "ROC AUC",
    "loss": "loss",
    "mase": "MASE",
    "smape": "sMAPE",
    "wql": "quantile loss",
    "coverage_80": "in 80 %",
    "coverage_95": "in 95 %",
}
_FIGURE_SPACE = "\u2007"


def metric_title(name: str) -> str:
    """A metric's name in words, as "test MSE" for "test_mse"."""
    part, _, bare = name.partition("_")
    if part not in ("test", "validation", "train"):
        part, bare = "", name
    return f"{part} {_METRICS.get(bare, bare.replace('_', ' '))}".strip()


def with_spread(metric: Metric) -> str:
    """A mean and its standard deviation over seeds, as "0.00186 ± 0.00004"; a single value stands alone."""
    if len(metric.values) < 2 or not math.isfinite(metric.std) or metric.std == 0:
        return number(metric.mean)
    places = _places(metric.std, 2 if _leading_digit(metric.std) == 1 else 1)
    places = min(places, _places(metric.mean, 4)) if metric.mean else places
    if abs(metric.mean) < 1e-6 or places > 8:
        return f"{number(metric.mean)} ± {number(metric.std, 1)}"
    places = max(places, 0)
    spread = f"{metric.std:.{places}f}"
    if float(spread) == 0:
        spread = f"{metric.std:.{_places(metric.std, 1)}f}"
    return f"{metric.mean:,.{places}f} ± {spread}"


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


def around(model: Mapping[str, Any]) -> str:
    """What acts around the cell at every step, as "zoneout 0.1, layer norm", of a recipe's model; "" where nothing."""
    parts = []
    for field in AROUND:
        value, name = model.get(field), field.replace("_", " ")
        if isinstance(value, Mapping):
            parts.append(f"{name} {' and '.join(f'{state} {share:g}' for state, share in value.items())}")
        elif value:
            parts.append(name if value is True else f"{name} {value:g}")
    return ", ".join(parts)


def _leading_digit(value: float) -> int:
    return int(f"{abs(value):e}"[0])


def _places(value: float, digits: int) -> int:
    # Decimal places that show so many significant digits, after rounding (0.0996 with one digit is 0.1).
    return digits - 1 - int(f"{abs(value):.{digits - 1}e}".partition("e")[2])
