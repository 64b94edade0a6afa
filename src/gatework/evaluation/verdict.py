"""The verdict of a comparison: one line, then the sentences that a statistician would sign and a person can act on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gatework.evaluation.difference import Difference, Results, difference
from gatework.formatting import listed
from gatework.tasks import Sample, get_metric, metric_title


@dataclass(frozen=True)
class Verdict:
    """What a comparison shows.

    Attributes:
        headline: One line.
        sentences: What stands behind it.
        behind: By how much each other network, and the best baseline, is worse than the best network, by its name.
    """

    headline: str
    sentences: tuple[str, ...]
    behind: Mapping[str, Difference] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join((self.headline, *self.sentences))


@dataclass(frozen=True)
class _Judged:
    """An entry of a comparison with what is known of it."""

    entry: Mapping[str, Any]
    results: Results

    @property
    def name(self) -> str:
        name: str = self.entry["name"]
        return name


def verdict(
    entries: Sequence[Mapping[str, Any]],
    metric: str,
    lower_is_better: bool,
    copies: str | None,
    remark: str = "",
    samples: Mapping[str, Sequence[Sample]] | None = None,
) -> Verdict:
    """Says which network is best and how sure that is, whether the networks beat the baselines, and the cost.

    Args:
        entries: The entries of a comparison, networks and baselines, as in `comparison.json`.
        metric: The metric that decides, as "test_mse".
        lower_is_better: Whether a smaller metric is a better one.
        copies: The baseline whose outputs equal the targets exactly, if one does.
        remark: What the task has to say of the best network beside that metric.
        samples: The test examples of each entry by its name, one sample per seed, all of the same examples; where they
            are not known, the spread over seeds is all that is judged by.
    """
    sign = 1 if lower_is_better else -1
    ranked = sorted(
        (_judged(entry, metric, (samples or {}).get(entry["name"], ())) for entry in entries),
        key=lambda judged: sign * judged.results.mean,
    )
    # Of other kinds, as what networks and simple methods answer together, the remark says what there is to say.
    networks = [judged for judged in ranked if judged.entry["kind"] == "network"]
    baselines = [judged for judged in ranked if judged.entry["kind"] == "baseline"]
    if copies is not None:
        return _copied(copies, networks[0], metric)
    best, *others = networks
    rivals = [(other, _worse_by(other, best, sign)) for other in others]
    against = [(network, _worse_by(baselines[0], network, sign)) for network in networks] if baselines else []
    sentences = [_best(networks, metric, lower_is_better), *_rivals(best, rivals), _chance(rivals, against, samples)]
    sentences.append(_cost(networks))
    if baselines:
        sentences.append(_against_baseline(against, baselines[0], metric, sign))
    sentences.append(remark)
    headline = _headline(best, rivals, against, baselines)
    behind = {other.name: gap for other, gap in rivals} | {each.name: against[0][1] for each in baselines[:1]}
    return Verdict(headline, tuple(sentence for sentence in sentences if sentence), behind)


def _judged(entry: Mapping[str, Any], metric: str, samples: Sequence[Sample]) -> _Judged:
    is_network = entry["kind"] == "network"
    return _Judged(entry, Results(entry["metrics"][metric]["values"], samples, is_seeded=is_network))


def _worse_by(worse: _Judged, better: _Judged, sign: int) -> Difference:
    """By how much one is worse than another, above 0 where it is; a baseline is compared with the runs as they are."""
    pair = (worse.results, better.results) if sign > 0 else (better.results, worse.results)
    return difference(*pair, is_these_runs=not (worse.results.is_seeded and better.results.is_seeded))


def _copied(copies: str, best: _Judged, metric: str) -> Verdict:
    return Verdict(
        f'The baseline "{copies}" solves this task exactly ({metric_title(metric)} 0).',
        (
            "The target stands in the input, so copying it is enough, and no figure here shows that a network can "
            f"predict. The best network, {best.name}, comes to {_value(best, metric)}.",
        ),
    )


def _headline(
    best: _Judged,
    rivals: Sequence[tuple[_Judged, Difference]],
    against: Sequence[tuple[_Judged, Difference]],
    baselines: Sequence[_Judged],
) -> str:
    parts = [_among_networks(best, rivals)] if rivals else []
    if baselines:
        name, gap = f'"{baselines[0].name}"', against[0][1]
        if gap.is_clear and gap.gap > 0:
            who = "it" if rivals and all(rival.is_clear for _, rival in rivals) else best.name
            parts.append(f"{who} beats every simple method")
        elif gap.is_clear:
            parts.append(f"the simple method {name} is better" + ("" if rivals else f" than {best.name}"))
        elif gap.is_known:
            parts.append(f"the simple method {name} does as well" + ("" if rivals else f" as {best.name}"))
        else:
            parts.append(f"whether it beats the simple method {name} cannot be told")
    headline = "; ".join(parts) or f"{best.name} stands alone: nothing to compare it with"
    return headline[0].upper() + headline[1:] + "." if headline.startswith("the ") else headline + "."


def _among_networks(best: _Judged, rivals: Sequence[tuple[_Judged, Difference]]) -> str:
    level = [other.name for other, gap in rivals if not gap.is_clear]
    if not level:
        return f"{best.name} is the best of the networks"
    if not all(gap.is_known for _, gap in rivals):
        first = _first(best, rivals)
        if len(first) > len(rivals):
            return f"{listed(first)} do equally well"
        return f"{listed(first)} lead{'s' if len(first) == 1 else ''} the networks, perhaps by chance"
    if len(level) == len(rivals):
        return f"{listed([best.name, *level])} are level"
    return f"{listed([best.name, *level])} are level, ahead of the other networks"


def _first(best: _Judged, rivals: Sequence[tuple[_Judged, Difference]]) -> list[str]:
    """The networks that no other is ahead of."""
    return [best.name, *(other.name for other, _ in rivals if other.results.mean == best.results.mean)]


def _best(networks: Sequence[_Judged], metric: str, lower_is_better: bool) -> str:
    best = networks[0]
    seeds, title = len(best.results.values), metric_title(metric)
    over = f"over {seeds} seeds" if seeds > 1 else "with one seed"
    if len(networks) == 1:
        return f"{best.name} comes to a {title} of {_value(best, metric)} {over}."
    same = [network.name for network in networks if network.results.mean == best.results.mean]
    extreme = f"the {'lowest' if lower_is_better else 'highest'} {title} of the networks"
    return f"{listed(same)} {'have' if len(same) > 1 else 'has'} {extreme}: {_value(best, metric)} {over}."


def _rivals(best: _Judged, rivals: Sequence[tuple[_Judged, Difference]]) -> list[str]:
    if not rivals:
        return []
    # Where others are named beside it as the best, "it" would be any of them.
    who = best.name if any(other.results.mean == best.results.mean for other, _ in rivals) else "It"
    if not any(gap.is_known for _, gap in rivals):
        first = _first(best, rivals)
        behind = listed([other.name for other, _ in rivals if other.name not in first])
        its = "its" if len(first) == 1 else "their"
        asked = f"Whether {its} lead over {behind} is more than chance" if behind else "Whether one of them is better"
        return [f"{asked} cannot be told: {_unknown(rivals)}."]
    clear = [f"{other.name} (by {_digits(gap.gap, 2)}; {_interval(gap)})" for other, gap in rivals if gap.is_clear]
    level = [_level(other.name, gap) for other, gap in rivals if not gap.is_clear]
    sentences = [f"{who} is clearly better than {listed(clear)}."] if clear else []
    if level:
        sentences.append(f"{who} is level with {listed(level)}.")
    return sentences


def _unknown(rivals: Sequence[tuple[_Judged, Difference]]) -> str:
    if any(len(other.results.values) < 2 for other, _ in rivals):
        return "there is one seed"
    return "the test part is one stretch of time" if rivals[0][0].results.samples else "seeds do not differ"


def _level(name: str, gap: Difference) -> str:
    if gap.low == gap.high == 0:
        return f"{name} (no test example tells them apart)"
    if not gap.is_known:
        return f"{name} as far as can be told"
    return f"{name} (a difference of {_digits(gap.gap, 2)} may be chance; {_interval(gap)})"


def _interval(gap: Difference) -> str:
    return f"95 % interval {_digits(gap.low, 2)} to {_digits(gap.high, 2)}"


def _chance(
    rivals: Sequence[tuple[_Judged, Difference]],
    against: Sequence[tuple[_Judged, Difference]],
    samples: Mapping[str, Sequence[Sample]] | None,
) -> str:
    """What the intervals count as chance."""
    if not any(gap.is_known for _, gap in (*rivals, *against)):
        return ""
    return "Chance is that of the seeds and of the test examples." if samples else "Chance is that of the seeds alone."


def _cost(networks: Sequence[_Judged]) -> str:
    best, *others = (network.entry for network in networks)
    if not others:
        return ""
    fastest = min(others, key=lambda e: float(e["ms_per_step"]))
    ratio = best["ms_per_step"] / fastest["ms_per_step"]
    if ratio < 0.95:
        return f"{best['name']} is the fastest to train."
    if ratio <= 1.05:
        return ""
    return f"A training step of {best['name']} takes {ratio:.1f} × as long as one of {fastest['name']}."


def _against_baseline(against: Sequence[tuple[_Judged, Difference]], baseline: _Judged, metric: str, sign: int) -> str:
    seconds = baseline.entry["seconds"]
    simple = f'the best simple method, "{baseline.name}" ({_value(baseline, metric)}, {seconds:.2g} s to fit)'
    surely = [network.name for network, gap in against if gap.is_clear and gap.gap > 0]
    worse = [network.name for network, gap in against if gap.is_clear and gap.gap < 0]
    level = [network.name for network, gap in against if not gap.is_clear]
    best, mark = against[0][0], baseline.results.mean
    if len(worse) == len(against):
        sentence = f"No network beats {simple}: use that, or find out what the networks miss."
        if sign < 0 or mark <= 0:
            return sentence
        return f"{sentence} The error of {best.name} is {100 * (best.results.mean / mark - 1):.0f} % higher."
    if len(surely) == len(against):
        return f"{'Every network' if len(against) > 1 else 'It'} beats {simple}."
    parts = [f"{listed(surely)} beat{'s' if len(surely) == 1 else ''} {simple}"] if surely else []
    if level:
        them = "it" if surely else simple
        parts.append(f"{listed(level)} {'is' if len(level) == 1 else 'are'} level with {them}")
    if worse:
        parts.append(f"{listed(worse)} {'is' if len(worse) == 1 else 'are'} behind it")
    return "; ".join(parts) + "."


def _value(judged: _Judged, metric: str) -> str:
    spread = judged.entry["metrics"][metric]
    mean = f"{spread['mean']:.3f}" if get_metric(metric).is_share else _digits(spread["mean"], 3)
    return f"{mean} ± {_digits(spread['std'], 1)}" if len(spread["values"]) > 1 else mean


def _digits(value: float, significant: int) -> str:
    """A number with so many significant digits, written out: 0.000021 rather than 2.1e-05."""
    return np.format_float_positional(value, significant, unique=False, fractional=False, trim="-")
