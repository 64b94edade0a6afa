"""What answers in a run: the network, simple methods or their weighted mean, and how that was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gatework.formatting import number
from gatework.reports.folders import TrainedRun
from gatework.tasks import metric_title
from gatework.tasks._blend import NETWORK, Blend
from gatework.tasks._section import ReportSection, section_file


@dataclass(frozen=True)
class _Candidate:
    """One row: a candidate, its error on the validation part, and its share of the answer."""

    name: str
    error: str
    weight: str


def answer(run: TrainedRun, metric: str) -> ReportSection | None:
    """The candidates, best first; None where nothing was chosen among.

    Args:
        run: The run.
        metric: The metric that decides, with the "test_" prefix.
    """
    chosen = run.summary.get("answer")
    if not chosen:
        return None
    weights: dict[str, Any] = chosen["weights"]
    blend = Blend(weights, chosen["validation"])
    rows = [
        _Candidate(name, number(error), f"{blend.percents[name]} %" if name in weights else "—")
        for name, error in chosen["validation"].items()
    ]
    measured = (("the answer", run.summary["metrics"]), (f"the {NETWORK} alone", run.summary["network"]))
    figures = [(name, number(values.get(metric))) for name, values in measured]
    title, is_network = metric_title(metric), set(weights) == {NETWORK}
    return ReportSection(
        name="answer",
        title="What answers",
        template=section_file(__package__, "templates/_answer.html"),
        context={
            "chosen": chosen["name"],
            "preference": blend.preference,
            "refitted": chosen["refitted"],
            "measure": chosen.get("measure", ""),
            "is_network": is_network,
            "rows": rows,
            "bare": metric_title(metric.removeprefix("test_")),
            "figures": figures,
        },
        headline=""
        if is_network
        else f"The answer, {_kind(weights)}, reaches a {title} of {figures[0][1]}; the network alone {figures[1][1]}.",
    )


def _kind(weights: Mapping[str, float]) -> str:
    """What answers, in a few words."""
    if len(weights) == 1:
        return f"that of {next(iter(weights))} alone"
    return "a mean of network and simple methods" if NETWORK in weights else "a mean of simple methods"
