"""What a search came to: its history, what mattered, and whether the best recipe beats the one it started from."""

from __future__ import annotations

import dataclasses
import datetime
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatework._files import read_json
from gatework.data.dataset import Dataset
from gatework.evaluation.difference import Difference, Results, difference
from gatework.formatting import counted, number, with_spread
from gatework.options import Among
from gatework.search.confirming import Contender, contenders
from gatework.search.plan import SearchPlan
from gatework.search.study import FIRST_LOOK, Study
from gatework.tasks import get_metric, metric_title
from gatework.training.run import Run

if TYPE_CHECKING:
    import optuna

# Fewer trials say nothing of what mattered; the best of them are compared with all.
_ENOUGH = 10
_BEST = 0.4


def result(plan: SearchPlan, out: Path, dataset: Dataset, command: str) -> dict[str, Any]:
    """All that `search.json` holds.

    Args:
        plan: What was searched.
        out: The folder of the search, all of whose runs are finished.
        dataset: The data.
        command: The command line that repeats it.
    """
    study = Study(out, plan)
    both = contenders(plan, out, study)
    entries = [_entry(contender, plan) for contender in both]
    gap = _gap(entries, plan)
    is_better = gap is not None and gap.gap > 0 and gap.is_clear
    chosen = both[-1] if is_better else both[0]
    weights = importance(study, plan)
    trials = [_trial(trial) for trial in study.trials]
    headline = _headline(entries, gap, plan)
    left = [] if is_better else _left(entries, gap, plan)
    sentences = [*left, *_early(trials, plan), *_what_mattered(weights, plan), *_on_test(entries, plan)]
    environment = read_json(both[0].folders[0] / "environment.json")
    return {
        "dataset": dataset.name,
        "title": f"{dataset.name}: a search over {counted(len(plan.space), 'option')}",
        "task": plan.recipe.task,
        "metric": plan.metric,
        "lower_is_better": plan.lower_is_better,
        "headline": headline,
        "verdict": " ".join((headline, *sentences)),
        "space": [d.state() for d in plan.space],
        "trials": trials,
        "best_trial": study.study.best_trial.number,
        "importance": weights,
        "importance_epoch": _epoch_of_importance(plan),
        "contenders": entries,
        "gap": None if gap is None else gap.state(),
        "chosen": chosen.name,
        "values": plan.values_of(chosen.recipe),
        "seeds": plan.seeds,
        "epochs": plan.recipe.training.epochs,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "environment": {k: v for k, v in environment.items() if k != "seed"},
        "provenance": dataclasses.asdict(dataset.provenance),
        "splits": {name: len(getattr(dataset, name)) for name in ("train", "validation", "test")},
        "recipe": chosen.recipe.to_dict(),
        "command": command,
    }


def chosen_recipe(plan: SearchPlan, out: Path, name: str) -> Any:
    """The recipe that a search leaves."""
    return next(c.recipe for c in contenders(plan, out, Study(out, plan)) if c.name == name)


def _trial(trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
    known = trial.intermediate_values
    return {
        "number": trial.number,
        "values": dict(trial.params),
        "scores": [known[epoch] if math.isfinite(known[epoch]) else None for epoch in sorted(known)],
        "is_complete": trial.state.name == "COMPLETE",
        "ending": trial.user_attrs.get("ending", ""),
        "seconds": trial.user_attrs.get("seconds", 0.0),
    }


def _entry(contender: Contender, plan: SearchPlan) -> dict[str, Any]:
    summaries = [Run.open(folder).summary for folder in contender.folders]
    metrics = {plan.metric: [s["validation"][plan.metric] for s in summaries]}
    metrics |= {name: [s["metrics"][name] for s in summaries] for name in summaries[0]["metrics"]}
    return {
        "name": contender.name,
        "parameters": summaries[0]["parameters"],
        "ms_per_step": statistics.median(s["ms_per_step"] for s in summaries),
        "seconds": statistics.fmean(s["seconds"] for s in summaries),
        "metrics": {name: _spread(values) for name, values in metrics.items()},
        "runs": [f"runs/{folder.name}" for folder in contender.folders],
    }


def _spread(values: Sequence[float]) -> dict[str, Any]:
    std = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"mean": statistics.fmean(values), "std": std, "values": list(values)}


def _gap(entries: Sequence[Mapping[str, Any]], plan: SearchPlan) -> Difference | None:
    """By how much the best recipe is better than the default, above 0 where it is; None where it is the default."""
    if len(entries) < 2:
        return None
    default, best = (Results(entry["metrics"][plan.metric]["values"]) for entry in entries)
    return difference(default, best) if plan.lower_is_better else difference(best, default)


def _headline(entries: Sequence[Mapping[str, Any]], gap: Difference | None, plan: SearchPlan) -> str:
    title = metric_title(plan.metric)
    if gap is None:
        return f"No trial was better than the default: keep it ({title} {_value(entries[0], plan.metric)})."
    both = f"{title} {_value(entries[1], plan.metric)} against {_value(entries[0], plan.metric)}"
    seeds = f"over {counted(plan.seeds, 'fresh seed')} each"
    if gap.is_clear and gap.gap > 0:
        return f"The search found a better recipe than the default: {both} {seeds}."
    if gap.is_clear:
        return f"The best trial did not hold up with other seeds: keep the default ({both} {seeds})."
    if not gap.is_known:
        return f"Whether the best recipe beats the default cannot be told: keep the default ({both} {seeds})."
    if gap.gap > 0:
        return f"The best recipe is ahead by no more than seeds differ: keep the default ({both} {seeds})."
    return f"The best trial was no better with other seeds: keep the default ({both} {seeds})."


def _left(entries: Sequence[Mapping[str, Any]], gap: Difference | None, plan: SearchPlan) -> list[str]:
    """Where a best recipe stands that is not kept, and what would tell more, where it may yet be better."""
    if gap is None or (gap.is_known and gap.gap <= 0):
        return []
    more = f"the same command with --seeds {max(2 * plan.seeds, 3)} goes on and tells more"
    return [f"The best recipe stands in {entries[-1]['runs'][0]}/recipe.toml; {more}."]


def _value(entry: Mapping[str, Any], metric: str) -> str:
    spread = entry["metrics"][metric]
    return with_spread(spread["mean"], spread["std"], len(spread["values"]))


def _early(trials: Sequence[Mapping[str, Any]], plan: SearchPlan) -> list[str]:
    stopped = [t for t in trials if not t["is_complete"]]
    early = [t for t in stopped if len(t["scores"]) <= FIRST_LOOK]
    words = f"{counted(len(trials), 'trial')} of up to {counted(plan.recipe.training.epochs, 'epoch')}"
    if not stopped:
        return [f"{words} {'was' if len(trials) == 1 else 'were'} trained to the end."]
    by = f", {len(early)} of them by epoch {FIRST_LOOK}" if early else ""
    return [f"Of {words}, {len(stopped)} {'was' if len(stopped) == 1 else 'were'} stopped early{by}."]


def importance(study: Study, plan: SearchPlan) -> list[dict[str, Any]]:
    """How much of the differences between trials each option explains, the greatest share first.

    All trials are looked at as they stood after the same early epoch, since most go no further: the shares are those of
    PED-ANOVA (Watanabe, Bansal and Hutter 2023). None where there are too few trials to say.
    """
    import optuna

    epoch = _epoch_of_importance(plan)
    compared = optuna.create_study(direction=study.study.direction)
    for trial in study.trials:
        value = trial.intermediate_values.get(epoch)
        if value is not None and math.isfinite(value):
            compared.add_trial(
                optuna.trial.create_trial(params=trial.params, distributions=trial.distributions, value=value)
            )
    trials = compared.get_trials(deepcopy=False)
    if len(trials) < max(_ENOUGH, 2 * len(plan.space)) or len({trial.value for trial in trials}) < 2:
        return []
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=_BEST)
    shares = optuna.importance.get_param_importances(compared, evaluator=evaluator)
    whole = math.fsum(shares.values())
    if not whole > 0:
        return []
    return [{"name": name, "share": share / whole} for name, share in shares.items()]


def _epoch_of_importance(plan: SearchPlan) -> int:
    return min(FIRST_LOOK, plan.recipe.training.epochs)


def _what_mattered(weights: Sequence[Mapping[str, Any]], plan: SearchPlan) -> list[str]:
    if not weights:
        return []
    name, share = weights[0]["name"], weights[0]["share"]
    word = name.partition(".")[2].replace("_", " ")
    after = counted(_epoch_of_importance(plan), "epoch")
    return [f"What mattered most after {after} was the {word} ({100 * share:.0f} % of what the options explain)."]


def _on_test(entries: Sequence[Mapping[str, Any]], plan: SearchPlan) -> list[str]:
    metric = plan.metric.replace("validation_", "test_")
    values = [f"{_value(entry, metric)} for the {entry['name']}" for entry in entries]
    title = get_metric(metric).title
    return [f"On the test part, looked at once and chosen by nothing, the {title} is {', '.join(values)}."]


def space_words(plan: SearchPlan) -> list[str]:
    """The space of a search, a line each."""
    names = [d.name.partition(".")[2].replace("_", " ") for d in plan.space]
    width = max(map(len, names))
    start = plan.start
    lines = []
    for name, d in zip(names, plan.space, strict=True):
        value = start[d.name]
        shown = str(value) if isinstance(d.tried, Among) else number(value)
        lines.append(f"  {name:<{width}}  {d.tried}, starting at {shown}")
    return lines
