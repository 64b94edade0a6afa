r"""How good forecasts are.

With $y$ the actual values, $\hat y_q$ the forecast of the quantile $q$, $\hat y = \hat y_{0.5}$, and $m$ the season:

- MASE: $\mathrm{mean} |y - \hat y| / \mathrm{mean}_{\text{train}} |y_t - y_{t-m}|$, of each series, then the mean over
  series (Hyndman & Koehler 2006, "Another look at measures of forecast accuracy");
- sMAPE: $\mathrm{mean}\; 200 |y - \hat y| / (|y| + |\hat y|)$, in per cent (as in the M4 competition);
- weighted quantile loss: $\mathrm{mean}_q\, 2 \sum \rho_q(y - \hat y_q) / \sum |y|$ with
  $\rho_q(u) = \max(q u, (q - 1) u)$; over many evenly spread quantiles it tends to the CRPS over $\mathrm{mean}|y|$;
- coverage: the share of actual values inside the interval $[l, u]$ between two quantiles;
- width: $\mathrm{mean}(u - l)$, in the targets' own unit;
- MSIS: the interval score $(u - l) + \frac{2}{\alpha} \max(l - y, y - u, 0)$ of an interval that promises $1 - \alpha$
  (Winkler 1972), divided and averaged as the error of MASE is (as in the M4 competition): an interval is better the
  narrower it is, and pays for every miss. Coverage alone can be bought by width; this cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from gatework.tasks._metric import Metric, register_metrics
from gatework.tasks._sample import Sample

if TYPE_CHECKING:
    import polars as pl

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""The quantiles that every method answers."""
MEDIAN = LEVELS.index(0.5)
# Intervals hold where they cover what they promise to within this.
_CLOSE = 0.05
INTERVALS = {80: (1, 5), 95: (0, 6)}
"""The intervals that are judged, in per cent, and the positions of their ends in `LEVELS`."""

# A test part of fewer stretches of time says more by its series.
_FEWEST_GROUPS = 10

register_metrics(
    Metric("mase", "MASE", lower_is_better=True),
    Metric("smape", "sMAPE", lower_is_better=True),
    Metric("wql", "quantile loss", lower_is_better=True),
    *(
        Metric(
            f"coverage_{percent}",
            f"coverage of the {percent} % interval",
            lower_is_better=None,
            is_share=True,
            target=percent / 100,
            short=f"{percent} % coverage",
        )
        for percent in INTERVALS
    ),
    *(
        Metric(f"msis_{percent}", f"MSIS of the {percent} % interval", lower_is_better=True, short=f"{percent} % MSIS")
        for percent in INTERVALS
    ),
    # The narrower the better, but only where it covers what it promises: by itself no direction is better.
    *(
        Metric(
            f"width_{percent}",
            f"mean width of the {percent} % interval",
            lower_is_better=None,
            short=f"{percent} % width",
        )
        for percent in INTERVALS
    ),
)


def answers_of(quantiles: np.ndarray, actuals: np.ndarray) -> pl.DataFrame:
    """Forecasts beside what came to pass, one row per origin.

    Args:
        quantiles: In the targets' own unit, shape (origins, horizon, levels).
        actuals: As `Origins.actuals()` gives it.

    Returns:
        The columns "series" and "target", numbers in the table, "step", the first that is forecast, "scale", MASE's
        divisor, and the arrays "actual", shape (horizon,), and "quantiles", shape (horizon, levels).
    """
    import polars as pl

    columns = {name: np.ascontiguousarray(actuals[name]) for name in ("series", "target", "step", "scale")}
    columns["actual"] = np.ascontiguousarray(actuals["value"])
    columns["quantiles"] = np.ascontiguousarray(quantiles)
    return pl.DataFrame(columns)


def arrays_of(answers: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The quantiles, shape (origins, horizon, levels), and the actual values as `Origins.actuals()` gives them."""
    value = answers["actual"].to_numpy()
    names = ("series", "target", "step")
    kind = [("value", np.float64, value.shape[1:]), ("scale", np.float64), *((name, np.int64) for name in names)]
    actuals = np.empty(len(answers), dtype=kind)
    actuals["value"] = value
    for name in ("scale", *names):
        actuals[name] = answers[name].to_numpy()
    return answers["quantiles"].to_numpy(), actuals


def metrics(quantiles: np.ndarray, actuals: np.ndarray) -> dict[str, float]:
    """Every metric over all series.

    Args:
        quantiles: Forecasts in the targets' own unit, shape (origins, horizon, levels).
        actuals: What came to pass, as `Origins.actuals()` gives it.
    """
    quantiles, y = quantiles.astype(np.float64), actuals["value"]
    error = np.abs(y - quantiles[..., MEDIAN])
    figures = {"mase": mase(error, actuals)}
    size = np.abs(y) + np.abs(quantiles[..., MEDIAN])
    figures["smape"] = float(np.nanmean(np.where(size > 0, 200 * error / np.where(size > 0, size, 1), 0 * error)))
    figures |= {"rmse": float(np.nanmean(error**2) ** 0.5), "mae": float(np.nanmean(error))}
    figures["mse"] = figures["rmse"] ** 2
    figures["wql"] = weighted_quantile_loss(quantiles, y)
    for percent, (low, high) in INTERVALS.items():
        lower, upper = quantiles[..., low], quantiles[..., high]
        figures[f"coverage_{percent}"] = coverage(lower, upper, y)
        figures[f"width_{percent}"] = float(np.nanmean(np.where(np.isnan(y), np.nan, upper - lower)))
        figures[f"msis_{percent}"] = mase(interval_score(lower, upper, y, 1 - percent / 100), actuals)
    return figures


def sample(answers: pl.DataFrame) -> Sample:
    """The scaled error of each forecast, whose mean over series is MASE.

    Forecasts from neighbouring origins, and those of all series from one, err together: where the test part spans
    enough horizons, all origins within one, or two, are a group; else those of one series are.
    """
    quantiles, actuals = arrays_of(answers)
    seen = ~np.isnan(actuals["value"])
    error = np.where(seen, np.abs(actuals["value"] - quantiles[..., MEDIAN]), 0.0).sum(axis=1)
    counts = seen.sum(axis=1) * ~np.isnan(actuals["scale"])
    pairs = np.stack([actuals["series"], actuals["target"]], axis=1)
    _, series = np.unique(pairs, axis=0, return_inverse=True)
    series = series.reshape(-1)
    total = np.bincount(series, counts)
    weights = counts / np.maximum(total[series], 1) / max(int((total > 0).sum()), 1)
    losses = np.where(counts > 0, error / np.maximum(counts, 1) / actuals["scale"], 0.0)
    return Sample(losses, weights, _groups(series, actuals["step"], actuals["value"].shape[1]))


def _groups(series: np.ndarray, step: np.ndarray, horizon: int) -> np.ndarray:
    last = np.full(int(series.max()) + 1, np.iinfo(np.int64).min)
    np.maximum.at(last, series, step)
    before = last[series] - step
    for length in (2 * horizon, horizon):
        moments: np.ndarray = before // length
        if moments.max() + 1 >= _FEWEST_GROUPS:
            return moments
    return series * (moments.max() + 1) + moments


def interval_score(low: np.ndarray, high: np.ndarray, y: np.ndarray, misses: float) -> np.ndarray:
    """The interval score of every actual value, in its own unit, NaN where none was observed; see above.

    Args:
        low: The lower ends.
        high: The upper ends.
        y: What came to pass.
        misses: The share of misses that the interval promises.
    """
    score: np.ndarray = (high - low) + 2 / misses * (np.maximum(low - y, 0) + np.maximum(y - high, 0))
    return score


def held_remark(metrics: Mapping[str, float], steps: int, forecasts: float, *, are_small_counts: bool = False) -> str:
    """How many of the actual values the intervals held, and whether that can be told.

    Args:
        metrics: Those of the answers.
        steps: How many actual values there are.
        forecasts: How many forecasts that do not overlap.
        are_small_counts: Whether they are small whole numbers, of which the right ends hold more than is promised.
    """
    shares = {percent: metrics[f"coverage_{percent}"] for percent in INTERVALS}
    held = ", ".join(f"its {percent} % interval held {100 * share:.0f} %" for percent, share in shares.items())
    beyond = {percent: share - percent / 100 for percent, share in shares.items()}
    if are_small_counts and max(beyond.values()) > 0:
        held += " (more than promised is right of small counts, many of which are an end itself)"
        beyond = {percent: min(by, 0.0) for percent, by in beyond.items()}
    off = [str(percent) for percent, by in beyond.items() if abs(by) > _CLOSE]
    moved = {percent: chance(percent / 100, steps) for percent in INTERVALS}
    remark = f"Of the test values {held}."
    if max(moved.values()) > _CLOSE:
        by = " and ".join(f"{100 * value:.0f}" for value in moved.values())
        return (
            f"{remark} Whether they hold cannot be told from {steps} test values: even if these were independent, "
            f"chance alone would move the shares by {by} points; they are {forecasts:.0f} forecasts that do not "
            "overlap."
        )
    return remark if not off else f"{remark} That is more than 5 points off for the {' and the '.join(off)} % interval."


def interval_remark(metrics: Mapping[str, float], baselines: Mapping[str, Mapping[str, float]]) -> str:
    """Says whose intervals are better than a network's by their score, or that none are; nothing without baselines."""
    if not baselines:
        return ""
    parts = []
    for percent in INTERVALS:
        name, ours = f"msis_{percent}", metrics[f"msis_{percent}"]
        scores = {method: values[name] for method, values in baselines.items() if np.isfinite(values[name])}
        if not scores or not np.isfinite(ours):
            return ""
        best = min(scores, key=lambda method: scores[method])
        if scores[best] < ours:
            parts.append(f'the MSIS of its {percent} % interval is {ours:.3g}, that of "{best}" {scores[best]:.3g}')
    if not parts:
        return "By the interval score no simple method has better intervals."
    return f"A simple method has better intervals: {'; '.join(parts)}."


def weighted_quantile_loss(quantiles: np.ndarray, y: np.ndarray) -> float:
    """The weighted quantile loss; see above. The mean loss itself where every actual value is 0."""
    gap = y[..., None] - quantiles
    levels = np.array(LEVELS)
    loss = 2 * np.nanmean(np.maximum(levels * gap, (levels - 1) * gap))
    size = float(np.nanmean(np.abs(y)))
    return float(loss) / (size or 1.0)


def scaled_quantile_loss(quantiles: np.ndarray, actuals: np.ndarray) -> float:
    """Twice the mean quantile loss of each series by MASE's divisor, so that every series counts alike.

    Args:
        quantiles: Forecasts in the targets' own unit, shape (origins, horizon, levels).
        actuals: What came to pass, as `Origins.actuals()` gives it.
    """
    gap, levels = actuals["value"][..., None] - quantiles, np.array(LEVELS)
    return mase(2 * np.maximum(levels * gap, (levels - 1) * gap).mean(axis=-1), actuals)


def coverage(low: np.ndarray, high: np.ndarray, y: np.ndarray) -> float:
    """The share of actual values in [low, high]; those that were not observed do not count."""
    seen = ~np.isnan(y)
    return float(np.mean((y >= low)[seen] & (y <= high)[seen])) if seen.any() else float("nan")


def chance(share: float, count: int) -> float:
    r"""How far chance alone moves the share covered, in 95 of 100 test parts: $1.96 \sqrt{p (1 - p) / n}$.

    That is the binomial spread of independent steps; neighbouring steps are alike, so it is the least there is.

    Args:
        share: The share promised.
        count: The steps that it is measured on.
    """
    return float(1.96 * (share * (1 - share) / max(count, 1)) ** 0.5)


def distinct_steps(actuals: np.ndarray) -> int:
    """How many different values all origins forecast together.

    Args:
        actuals: As `Origins.actuals()` gives it.
    """
    origin, ahead = np.nonzero(~np.isnan(actuals["value"]))
    if not len(origin):
        return 0
    pair = actuals["series"] * (int(actuals["target"].max()) + 1) + actuals["target"]
    length = int(actuals["step"].max()) + actuals["value"].shape[1]
    return len(np.unique(pair[origin] * length + actuals["step"][origin] + ahead))


def mase(error: np.ndarray, actuals: np.ndarray) -> float:
    """The mean over series of a scaled mean error; a series that never changed in training does not count.

    Args:
        error: Absolute errors, or interval scores, shape (origins, horizon), NaN where nothing was observed.
        actuals: As `Origins.actuals()` gives it.
    """
    keys = np.stack([actuals["series"], actuals["target"]], axis=1)
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    group = group.reshape(-1)
    seen = ~np.isnan(error)
    total = np.bincount(group, np.where(seen, error, 0).sum(axis=1))
    count = np.bincount(group, seen.sum(axis=1))
    scale = actuals["scale"][first]
    counts = (count > 0) & ~np.isnan(scale)
    return float(np.mean(total[counts] / count[counts] / scale[counts])) if counts.any() else float("nan")
