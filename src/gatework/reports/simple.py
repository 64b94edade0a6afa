"""What simple methods reached on a run's test part beside what it reached itself."""

from __future__ import annotations

from dataclasses import dataclass

from gatework.formatting import number
from gatework.reports.folders import TrainedRun
from gatework.reports.sections import known_task
from gatework.reports.table import shown_metrics
from gatework.tasks import Scores, metric_title
from gatework.tasks._blend import NETWORK
from gatework.tasks._evaluation import LEVEL
from gatework.tasks._section import ReportSection, section_file

_MOST_METRICS = 5


@dataclass(frozen=True)
class _Method:
    """One row: who, its figures, and whether it is what the run answers."""

    name: str
    figures: tuple[str, ...]
    is_own: bool


def simple(run: TrainedRun, metric: str) -> ReportSection | None:
    """Every method, best first; None where none was measured.

    Args:
        run: The run.
        metric: The metric that decides, with the "test_" prefix.
    """
    others, task = run.summary.get("simple"), known_task(str(run.recipe.get("task", "")))
    if not others or task is None or metric not in run.summary["metrics"]:
        return None
    network = run.summary.get("network")
    is_network = network is None or network == run.summary["metrics"]
    answering = NETWORK if is_network else "the answer"
    rows = {answering: run.summary["metrics"], **({} if is_network else {f"the {NETWORK} alone": network}), **others}
    names = shown_metrics(rows[answering], metric, task.name)[:_MOST_METRICS]
    sign = 1 if task.lower_is_better else -1
    order = sorted(rows, key=lambda name: sign * rows[name].get(metric, sign * float("inf")))
    best, is_level = _better(run, metric)
    return ReportSection(
        name="simple",
        title="Beside simple methods",
        template=section_file(__package__, "templates/_simple.html"),
        context={
            "titles": [metric_title(name.removeprefix("test_"), is_short=True) for name in names],
            "rows": [_Method(n, tuple(number(rows[n].get(name)) for name in names), n == answering) for n in order],
            "best": best,
            "bare": metric_title(metric.removeprefix("test_")),
            "level": f"{100 * LEVEL:.0f} %" if is_level else "",
            "own": "the network" if is_network else answering,
        },
    )


def outdone(run: TrainedRun, metric: str) -> str:
    """Which simple method does better than the run, or hardly so, in a sentence; empty where none does."""
    best, is_level = _better(run, metric)
    figure = number(run.summary["simple"][best].get(metric)) if best else ""
    does = f"does as well, within {100 * LEVEL:.0f} %" if is_level else "does better"
    return f"The simple method {best} {does}: {metric_title(metric)} {figure}." if best else ""


def _better(run: TrainedRun, metric: str) -> tuple[str, bool]:
    """The best of the simple methods that do better, and whether hardly so; empty where none does."""
    task, summary = known_task(str(run.recipe.get("task", ""))), run.summary
    if task is None or not summary.get("simple"):
        return "", False
    scores = Scores(summary["metrics"], baselines=summary["simple"])
    best = next(iter(scores.better(metric, lower_is_better=task.lower_is_better)), "")
    return best, bool(best) and scores.is_level(best, metric)
