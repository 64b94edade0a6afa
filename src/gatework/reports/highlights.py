"""What a reader asks first, answered from the figures alone: which one, by how much, how certain, at what cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gatework.evaluation.difference import Difference
from gatework.formatting import counted, number
from gatework.reports.folders import ComparisonFolder, Entry
from gatework.tasks import metric_title


@dataclass(frozen=True)
class Highlight:
    """One answer: a question in a word or two, a figure, and one sentence."""

    question: str
    figure: str
    sentence: str


def highlights(comparison: ComparisonFolder) -> tuple[Highlight, ...]:
    """The answers that this comparison supports; fewer where it holds only one network or no baseline."""
    if not comparison.networks:
        return ()
    best = comparison.networks[0]
    answers = [_best(comparison, best)]
    if len(comparison.networks) > 1:
        answers.append(_certainty(comparison, best, comparison.networks[1]))
    if comparison.baselines:
        answers.append(_against_baseline(comparison, best, comparison.baselines[0]))
    if best.parameters is not None:
        answers.append(_cost(comparison, best))
    return tuple(answers)


def _best(comparison: ComparisonFolder, best: Entry) -> Highlight:
    seeds = len(best.metrics[comparison.metric].values)
    over = f", mean and standard deviation of {seeds} seeds" if seeds > 1 else ", one seed: its spread is unknown"
    return Highlight(
        "Best network",
        best.name,
        f"{metric_title(comparison.metric)} {best.metrics[comparison.metric]}{over}.",
    )


def _certainty(comparison: ComparisonFolder, best: Entry, second: Entry) -> Highlight:
    sentence = f"How far {best.name} is ahead of {second.name}, the next network"
    gap = _behind(comparison, second)
    if not gap.is_known:
        return Highlight(
            "Perhaps ahead of the next", _lead(comparison, best, second), f"{sentence}; this may be chance."
        )
    if gap.is_clear:
        sentence += "; the 95 % interval of the difference excludes zero."
        return Highlight("Ahead of the next", _lead(comparison, best, second), sentence)
    sentence += "; the 95 % interval of the difference includes zero, so this may be chance."
    return Highlight("Level with the next", _lead(comparison, best, second), sentence)


def _against_baseline(comparison: ComparisonFolder, best: Entry, baseline: Entry) -> Highlight:
    gap = _behind(comparison, baseline)
    if not gap.is_clear:
        better, worse = (best, baseline) if gap.gap > 0 else (baseline, best)
        sentence = f"How far {better.name} is ahead of {worse.name}; this may be chance: the baseline does as well."
        return Highlight("Level with a baseline", _lead(comparison, better, worse), sentence)
    if gap.gap > 0:
        sentence = f"How far {best.name} is ahead of {baseline.name}, the best baseline."
        return Highlight("Ahead of the baselines", _lead(comparison, best, baseline), sentence)
    sentence = f"{baseline.name} is ahead of every network, by this much over {best.name}: no network is needed here."
    return Highlight("Behind a baseline", _lead(comparison, baseline, best), sentence)


def _behind(comparison: ComparisonFolder, other: Entry) -> Difference:
    """By how much another entry is worse than the best network, as the verdict has it."""
    state = comparison.about.get("behind", {}).get(other.name)
    return Difference.from_state(state) if state else Difference(0.0, -math.inf, math.inf)


def _lead(comparison: ComparisonFolder, better: Entry, worse: Entry) -> str:
    good, bad = (e.metrics[comparison.metric].mean for e in (better, worse))
    if not comparison.lower_is_better:
        return f"{100 * (good - bad):.1f} points" if max(abs(good), abs(bad)) <= 1 else number(good - bad, 2)
    if bad == 0 or good != good or bad != bad:
        return "none"
    if good == 0:
        return "no error left"
    return f"{100 * (1 - good / bad):.0f} % less error" if good > bad / 3 else f"{number(bad / good, 2)} × less error"


def _cost(comparison: ComparisonFolder, best: Entry) -> Highlight:
    timed = [e for e in comparison.networks if e.ms_per_step]
    parameters = counted(best.parameters or 0, "parameter")
    if not best.ms_per_step:
        return Highlight("Cost", number(best.parameters), "parameters; its time per step was not measured.")
    fastest = min(timed, key=lambda e: e.ms_per_step or 0.0)
    sentence = f"of {best.name}, which has {parameters}"
    if fastest is not best:
        ratio = best.ms_per_step / (fastest.ms_per_step or 1.0)
        times = f"{number(ratio, 2)} times the step of" if ratio >= 1.1 else "about the same as"
        sentence += f"; {times} {fastest.name}, the fastest network"
    elif len(timed) > 1:
        sentence += "; no network is faster"
    return Highlight("Cost", f"{number(best.ms_per_step, 2)} ms per step", f"{sentence}.")
