"""The registry of metrics: how each is named, which direction is better, and how it is written.

A task registers its metrics where they are computed (`tasks/<stem>/metrics.py`); tables, reports and the verdict look
them up here and know none by name.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatework.errors import UsageError

_PARTS = ("test", "validation", "train")


@dataclass(frozen=True)
class Metric:
    """A figure that says how good answers are.

    Attributes:
        name: As in `summary.json`, without the name of a part: "mse".
        title: In words: "MSE".
        lower_is_better: Whether a smaller value is better; None where neither direction is.
        is_share: Whether it lies between 0 and 1, such as an accuracy.
        target: The value it should have, such as 0.8 for the coverage of an 80 % interval; None where more (or less)
            is always better.
        short: The title for a narrow column; the title itself if empty.
    """

    name: str
    title: str
    lower_is_better: bool | None
    is_share: bool = False
    target: float | None = None
    short: str = ""

    def badness(self, value: float) -> float:
        """A number by which values are ordered, the best first; 0 for all where no direction is better."""
        if self.target is not None:
            return abs(value - self.target)
        if self.lower_is_better is None:
            return 0.0
        return value if self.lower_is_better else -value


METRICS: dict[str, Metric] = {}


def register_metrics(*metrics: Metric) -> None:
    """Makes metrics known under their names.

    Raises:
        UsageError: Another metric has that name already.
    """
    for metric in metrics:
        if METRICS.setdefault(metric.name, metric) != metric:
            raise UsageError(f'there is another metric "{metric.name}" already ({METRICS[metric.name].title})')


def get_metric(name: str) -> Metric:
    """The metric of a name as "mse" or "test_mse"; one that nobody registered has its name for a title.

    Such a metric has no direction: what is not known is not called better.
    """
    bare = _split(name)[1]
    return METRICS.get(bare) or Metric(bare, bare.replace("_", " "), lower_is_better=None)


def metric_title(name: str, *, is_short: bool = False) -> str:
    """A metric's name in words: "test_mse" is "test MSE".

    Args:
        name: The metric, with or without the name of a part.
        is_short: Whether the title stands in a narrow column.
    """
    part, bare = _split(name)
    metric = get_metric(bare)
    return f"{part} {(is_short and metric.short) or metric.title}".strip()


def _split(name: str) -> tuple[str, str]:
    part, _, bare = name.partition("_")
    return (part, bare) if part in _PARTS and bare else ("", name)


register_metrics(
    Metric("loss", "loss", lower_is_better=True),
    Metric("mse", "MSE", lower_is_better=True),
    Metric("mae", "MAE", lower_is_better=True),
    Metric("rmse", "RMSE", lower_is_better=True),
)
