"""Tasks: what is learnt from a dataset. A task is one folder here and one line in `gatework.options.TASKS`."""

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.tasks._chart import Band, Chart, Curve
    from gatework.tasks._known import REGISTRY, get, register
    from gatework.tasks._load import load
    from gatework.tasks._metric import METRICS, Metric, get_metric, metric_title, register_metrics
    from gatework.tasks._sample import Sample
    from gatework.tasks._section import Answered, AnsweredEntry, ReportSection, section_file
    from gatework.tasks._task import Baseline, Before, Earlier, Evaluation, Loss, PartRates, Scores, Task, Trained

__all__ = [
    "METRICS",
    "REGISTRY",
    "Answered",
    "AnsweredEntry",
    "Band",
    "Baseline",
    "Before",
    "Chart",
    "Curve",
    "Earlier",
    "Evaluation",
    "Loss",
    "Metric",
    "PartRates",
    "ReportSection",
    "Sample",
    "Scores",
    "Task",
    "Trained",
    "get",
    "get_metric",
    "load",
    "metric_title",
    "register",
    "register_metrics",
    "section_file",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_chart": ("Band", "Chart", "Curve"),
        "_known": ("REGISTRY", "get", "register"),
        "_load": ("load",),
        "_metric": ("METRICS", "Metric", "get_metric", "metric_title", "register_metrics"),
        "_sample": ("Sample",),
        "_section": ("Answered", "AnsweredEntry", "ReportSection", "section_file"),
        "_task": ("Baseline", "Before", "Earlier", "Evaluation", "Loss", "PartRates", "Scores", "Task", "Trained"),
    },
)
