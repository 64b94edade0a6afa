"""Several networks whose mean answers: what each of them says alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from gatework.tasks._dense import DenseTask
    from gatework.tasks.forecast.data import ForecastDataset
    from gatework.tasks.forecast.model import ForecastNetwork

MEAN_OF_THEM = "their mean"


def each_alone(task: DenseTask, network: ForecastNetwork, part: ForecastDataset) -> dict[str, pl.DataFrame]:
    """The figures of each network and of their mean, before intervals are stretched; nothing of one network.

    Args:
        task: The task.
        network: The networks.
        part: The data that they learnt from.
    """
    import polars as pl

    if not network.others:
        return {}
    rows = []
    for place, each in enumerate([*network.alone, network], start=1):
        name = MEAN_OF_THEM if each is network else f"network {place}"
        on = {split: task.evaluate(each, task.encode(getattr(part, split))).metrics for split in ("validation", "test")}
        figures = {f"{split}_{metric}": of[metric] for split, of in on.items() for metric in ("mase", "wql")}
        rows.append({"network": name} | figures)
    return {"networks": pl.DataFrame(rows)}
