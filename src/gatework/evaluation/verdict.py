"""The verdict of a comparison: one or two sentences that a statistician would sign and a person can act on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from scipy import stats

_CONFIDENCE = 0.95


def verdict(entries: Sequence[dict[str, Any]], metric: str, lower_is_better: bool, copies: str | None) -> str:
    """Says which network is best and how sure that is, whether the networks beat the baselines, and the cost.

    Args:
        entries: The entries of a comparison, networks and baselines, as in `comparison.json`.
        metric: The metric that decides, as "test_mse".
        lower_is_better: Whether a smaller metric is a better one.
        copies: The baseline whose outputs equal the targets exactly, if one does.
    """
    sign = 1 if lower_is_better else -1
    ranked = sorted(entries, key=lambda e: sign * e["metrics"][metric]["mean"])
    networks = [e for e in ranked if e["kind"] == "network"]
    baselines = [e for e in ranked if e["kind"] == "baseline"]
    name = metric.removeprefix("test_").replace("_", " ")
    name = "test " + (name.upper() if name in ("mse", "mae", "rmse") else name)
    if copies is not None:
        best = networks[0]
        return (
            f'The baseline "{copies}" solves this task exactly ({name} 0): the target stands in the input, so copying '
            f"it is enough, and no figure here shows that a network can predict. The best network, {best['name']}, "
            f"comes to {_value(best, metric)}."
        )
    sentences = [_first(networks, metric, name)]
    if baselines:
        sentences.append(_against_baselines(networks, baselines[0], metric, sign))
    return " ".join(sentences)


def difference(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    """The difference of two means, `mean(a) - mean(b)`, and its 95 % interval over seeds (Welch's t).

    Returns:
        The difference and the interval's two ends; these are infinite where there are fewer than two seeds.
    """
    gap = math.fsum(a) / len(a) - math.fsum(b) / len(b)
    if len(a) < 2 or len(b) < 2:
        return gap, -math.inf, math.inf
    if len({*a}) == len({*b}) == 1:
        return gap, gap, gap
    interval = stats.ttest_ind(a, b, equal_var=False).confidence_interval(_CONFIDENCE)
    return gap, float(interval.low), float(interval.high)


def _first(networks: Sequence[dict[str, Any]], metric: str, name: str) -> str:
    best = networks[0]
    seeds = len(best["metrics"][metric]["values"])
    over = f"mean of {seeds} seeds" if seeds > 1 else "one seed, so its spread is not known"
    sentence = f"{best['name']} comes first among the networks with a {name} of {_value(best, metric)} ({over})"
    if len(networks) == 1:
        return sentence + "."
    return sentence + "; " + "; ".join(_rival(best, other, metric) for other in networks[1:]) + "."


def _rival(best: dict[str, Any], other: dict[str, Any], metric: str) -> str:
    gap, low, high = difference(other["metrics"][metric]["values"], best["metrics"][metric]["values"])
    cost = best["ms_per_step"] / other["ms_per_step"]
    price = f"at {cost:.1f} x the time per step" if cost >= 1.05 else f"and takes {1 / cost:.1f} x as long per step"
    price = "at the same time per step" if 0.95 < cost < 1.05 else price
    if math.isinf(low):
        how = "one seed cannot say whether that is chance"
    elif low <= 0 <= high:
        how = f"not distinguishable: the 95 % interval over seeds, {low:+.2g} to {high:+.2g}, includes no difference"
    else:
        how = f"a clear difference: 95 % interval over seeds {low:+.2g} to {high:+.2g}"
    best_first = cost >= 1.05
    who = f"against {other['name']}, {_value(other, metric)} ({gap:+.2g}), {how}"
    return (
        f"{who}, {price}"
        if best_first or 0.95 < cost < 1.05
        else f"{who}, {other['name']} {price.removeprefix('and ')}"
    )


def _against_baselines(networks: Sequence[dict[str, Any]], baseline: dict[str, Any], metric: str, sign: int) -> str:
    mark = baseline["metrics"][metric]["mean"]
    values = {e["name"]: e["metrics"][metric]["values"] for e in networks}
    surely = [n for n, v in values.items() if all(sign * (x - mark) < 0 for x in v)]
    never = [n for n, v in values.items() if all(sign * (x - mark) >= 0 for x in v)]
    simple = (
        f'the best simple method, "{baseline["name"]}" ({_value(baseline, metric)}, {baseline["seconds"]:.2g} s to fit)'
    )
    if len(surely) == len(values):
        return f"{'Every network' if len(values) > 1 else 'It'} beats {simple}, with every seed."
    if len(never) == len(values):
        return f"No network beats {simple}: use that, or find out what the networks miss."
    mixed = [n for n in values if n not in surely and n not in never]
    parts = [f"{_listed(surely)} beat{'s' if len(surely) == 1 else ''} {simple} with every seed"] if surely else []
    if mixed:
        parts.append(
            f"{_listed(mixed)} only with some seeds"
            if surely
            else f"{_listed(mixed)} beat {simple} only with some seeds"
        )
    if never:
        parts.append(f"{_listed(never)} with none")
    return ", ".join(parts) + "."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _value(entry: dict[str, Any], metric: str) -> str:
    found = entry["metrics"][metric]
    digits = (
        f"{found['mean']:.3f}"
        if metric in ("test_accuracy", "test_macro_f1", "test_roc_auc")
        else f"{found['mean']:.3g}"
    )
    return f"{digits} ± {found['std']:.1g}" if len(found["values"]) > 1 else digits
