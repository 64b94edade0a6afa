"""What answers in a run: the network, simple methods or their weighted mean, and how that was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gatework.formatting import number
from gatework.reports.folders import TrainedRun
from gatework.tasks import metric_title
from gatework.tasks._blend import NETWORK
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
    rows = [
        _Candidate(name, number(error), f"{100 * weights[name]:.0f} %" if name in weights else "—")
        for name, error in chosen["validation"].items()
    ]
    figures = [("the answer", run.summary["metrics"]), (f"the {NETWORK} alone", run.summary["network"])]
    figures += [(f"{name} alone", metrics) for name, metrics in (run.summary.get("simple") or {}).items()]
    return ReportSection(
        name="answer",
        title="What answers",
        template=section_file(__package__, "templates/_answer.html"),
        context={
            "chosen": chosen["name"],
            "is_network": set(weights) == {NETWORK},
            "rows": rows,
            "bare": metric_title(metric.removeprefix("test_")),
            "figures": [(name, number(values.get(metric))) for name, values in figures],
        },
    )
