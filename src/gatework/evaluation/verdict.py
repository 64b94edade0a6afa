"""The verdict of a comparison: one or two sentences that a statistician would sign and a person can act on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gatework.tasks import get_metric, metric_title

_CONFIDENCE = 0.95


def verdict(
    entries: Sequence[dict[str, Any]], metric: str, lower_is_better: bool, copies: str | None, remark: str = ""
) -> str:
    """Says which network is best and how sure that is, whether the networks beat the baselines, and the cost.

    Args:
        entries: The entries of a comparison, networks and baselines, as in `comparison.json`.
        metric: The metric that decides, as "test_mse".
        lower_is_better: Whether a smaller metric is a better one.
        copies: The baseline whose outputs equal the targets exactly, if one does.
        remark: What the task has to say of the best network beside that metric.
    """
    sign = 1 if lower_is_better else -1
    ranked = sorted(entries, key=lambda e: sign * e["metrics"][metric]["mean"])
    networks = [e for e in ranked if e["kind"] == "network"]
    baselines = [e for e in ranked if e["kind"] == "baseline"]
    name = metric_title(metric)
    if copies is not None:
        best = networks[0]
        return (
            f'The baseline "{copies}" solves this task exactly ({name} 0): the target stands in the input, so copying '
            f"it is enough, and no figure here shows that a network can predict. The best network, {best['name']}, "
            f"comes to {_value(best, metric)}."
        )
    sentences = [_best(networks, metric, name, lower_is_better), *_rivals(networks, metric, sign), _cost(networks)]
    if baselines:
        sentences.append(_against_baselines(networks, baselines[0], metric, sign))
    sentences.append(remark)
    return " ".join(sentence for sentence in sentences if sentence)


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
    from scipy import stats

    interval = stats.ttest_ind(a, b, equal_var=False).confidence_interval(_CONFIDENCE)
    return gap, float(interval.low), float(interval.high)


def _best(networks: Sequence[dict[str, Any]], metric: str, name: str, lower_is_better: bool) -> str:
    best = networks[0]
    seeds = len(best["metrics"][metric]["values"])
    over = f"over {seeds} seeds" if seeds > 1 else "with one seed"
    extreme = "lowest" if lower_is_better else "highest"
    if len(networks) == 1:
        return f"{best['name']} comes to a {name} of {_value(best, metric)} {over}."
    return f"{best['name']} has the {extreme} {name} of the networks: {_value(best, metric)} {over}."


def _rivals(networks: Sequence[dict[str, Any]], metric: str, sign: int) -> list[str]:
    best, *others = networks
    if not others:
        return []
    mine = best["metrics"][metric]["values"]
    if len(mine) < 2:
        names = _listed([other["name"] for other in others])
        return [f"One seed cannot say whether its lead over {names} is more than chance."]
    clear: list[str] = []
    unclear: list[str] = []
    for other in others:
        theirs = other["metrics"][metric]["values"]
        gap, low, high = difference(theirs, mine) if sign > 0 else difference(mine, theirs)
        text = f"{other['name']} (by {_digits(gap, 2)}; 95 % interval {_digits(low, 2)} to {_digits(high, 2)})"
        (unclear if low <= 0 <= high else clear).append(text)
    sentences = [f"It is clearly better than {_listed(clear)}."] if clear else []
    if unclear:
        sentences.append(f"The spread over seeds does not tell it from {_listed(unclear)}.")
    return sentences


def _cost(networks: Sequence[dict[str, Any]]) -> str:
    best, *others = networks
    if not others:
        return ""
    fastest = min(others, key=lambda e: float(e["ms_per_step"]))
    ratio = best["ms_per_step"] / fastest["ms_per_step"]
    if ratio < 0.95:
        return "It is also the fastest to train."
    return f"A training step takes {ratio:.1f} × as long as with {fastest['name']}." if ratio > 1.05 else ""


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
        told = f"No network beats {simple}: use that, or find out what the networks miss."
        if sign < 0 or mark <= 0:
            return told
        ahead = networks[0]["metrics"][metric]["mean"] / mark - 1
        return f"{told} The error of {networks[0]['name']} is {100 * ahead:.0f} % higher."
    mixed = [n for n in values if n not in surely and n not in never]
    parts = [f"{_listed(surely)} beat{'s' if len(surely) == 1 else ''} {simple} with every seed"] if surely else []
    if mixed:
        parts.append(
            f"{_listed(mixed)} only with some seeds"
            if surely
            else f"{_listed(mixed)} beat{'s' if len(mixed) == 1 else ''} {simple} only with some seeds"
        )
    if never:
        parts.append(f"{_listed(never)} with none")
    return ", ".join(parts) + "."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _value(entry: dict[str, Any], metric: str) -> str:
    found = entry["metrics"][metric]
    mean = f"{found['mean']:.3f}" if get_metric(metric).is_share else _digits(found["mean"], 3)
    return f"{mean} ± {_digits(found['std'], 1)}" if len(found["values"]) > 1 else mean


def _digits(value: float, significant: int) -> str:
    """A number with so many significant digits, written out: 0.000021 rather than 2.1e-05."""
    return np.format_float_positional(value, significant, unique=False, fractional=False, trim="-")
