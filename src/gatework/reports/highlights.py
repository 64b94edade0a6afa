"""What a reader asks first, answered from the figures alone: which one, by how much, how certain, at what cost."""

from __future__ import annotations

from dataclasses import dataclass

from gatework.evaluation.verdict import difference
from gatework.formatting import counted, number
from gatework.reports.folders import Comparison, Entry
from gatework.tasks import metric_title


@dataclass(frozen=True)
class Highlight:
    """One answer: a question in a word or two, a figure, and one sentence."""

    question: str
    figure: str
    sentence: str


def highlights(comparison: Comparison) -> tuple[Highlight, ...]:
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


def _best(comparison: Comparison, best: Entry) -> Highlight:
    seeds = len(best.metrics[comparison.metric].values)
    over = f", mean and standard deviation of {seeds} seeds" if seeds > 1 else ", one seed: its spread is unknown"
    return Highlight(
        "Best network",
        best.name,
        f"{metric_title(comparison.metric)} {best.metrics[comparison.metric]}{over}.",
    )


def _certainty(comparison: Comparison, best: Entry, second: Entry) -> Highlight:
    ours, theirs = (e.metrics[comparison.metric].values for e in (best, second))
    sentence = f"How far {best.name} is ahead of {second.name}, the next network"
    question = "Perhaps ahead of the next"
    if len(ours) == len(theirs) > 1:
        sign = -1 if comparison.lower_is_better else 1
        ahead = sum(sign * (a - b) > 0 for a, b in zip(ours, theirs, strict=True))
        _, low, high = difference(ours, theirs)
        sentence += f"; it is ahead on {ahead} of {len(ours)} seeds" + (
            ", and the 95 % interval of the difference includes zero: they cannot be told apart."
            if (is_tie := low <= 0 <= high)
            else ", and the 95 % interval of the difference excludes zero."
        )
        question = question if is_tie else "Ahead of the next"
    else:
        sentence += "; with one seed, this may be chance."
    return Highlight(question, _lead(comparison, best, second), sentence)


def _against_baseline(comparison: Comparison, best: Entry, baseline: Entry) -> Highlight:
    means = best.metrics[comparison.metric].mean, baseline.metrics[comparison.metric].mean
    is_ahead = means[0] < means[1] if comparison.lower_is_better else means[0] > means[1]
    if is_ahead:
        sentence = f"How far {best.name} is ahead of {baseline.name}, the best baseline."
        return Highlight("Ahead of the baselines", _lead(comparison, best, baseline), sentence)
    sentence = f"{baseline.name} is ahead of every network, by this much over {best.name}: no network is needed here."
    return Highlight("Behind a baseline", _lead(comparison, baseline, best), sentence)


def _lead(comparison: Comparison, better: Entry, worse: Entry) -> str:
    good, bad = (e.metrics[comparison.metric].mean for e in (better, worse))
    if not comparison.lower_is_better:
        return f"{100 * (good - bad):.1f} points" if max(abs(good), abs(bad)) <= 1 else number(good - bad, 2)
    if bad == 0 or good != good or bad != bad:
        return "none"
    if good == 0:
        return "no error left"
    return f"{100 * (1 - good / bad):.0f} % less error" if good > bad / 3 else f"{number(bad / good, 2)} × less error"


def _cost(comparison: Comparison, best: Entry) -> Highlight:
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
