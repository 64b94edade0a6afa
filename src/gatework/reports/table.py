"""The table of a comparison: one row per network and baseline, best first, with every seed visible."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gatework.formatting import aligned, counted, number
from gatework.pages.axes import Axis
from gatework.reports.folders import ComparisonFolder, Entry
from gatework.reports.looks import Look
from gatework.reports.sections import known_task
from gatework.tasks import get_metric, metric_title


@dataclass(frozen=True)
class TableCell:
    """One figure of a row: its text, and whether it is the best of its column."""

    text: str
    is_best: bool = False


@dataclass(frozen=True)
class Row:
    """One entry of a comparison.

    Attributes:
        name: Its name.
        note: A few words below the name.
        is_network: Whether it is a network, alone or with simple methods.
        is_best: Whether it is the best of all.
        colour: The custom property that holds its colour.
        seeds: Where each seed's value lies on the strip, in per cent, with the value as text.
        mean_at: Where the mean lies on the strip, in per cent.
        off: The end of the strip, "left" or "right", beyond which the mean lies; empty where it lies on it.
        metrics: One figure per metric, the deciding one first.
        further: One figure for each metric that the table has no room for.
        costs: Parameters, milliseconds per step, seconds per epoch.
    """

    name: str
    note: str
    is_network: bool
    is_best: bool
    colour: str
    seeds: tuple[tuple[float, str], ...]
    mean_at: float
    off: str
    metrics: tuple[TableCell, ...]
    further: tuple[TableCell, ...]
    costs: tuple[str, ...]


@dataclass(frozen=True)
class ResultsTable:
    """The whole table.

    Attributes:
        metrics: The titles of the metric columns, the deciding one first.
        further: The titles of the metrics that it has no room for.
        costs: The titles of the cost columns.
        rows: The rows, best first.
        ticks: The strip's ticks: where, in per cent, and the label.
        is_log: Whether the strip is logarithmic.
        has_spread: Whether any row has more than one seed.
        has_off: Whether any row lies beyond the strip.
    """

    metrics: tuple[str, ...]
    further: tuple[str, ...]
    costs: tuple[str, ...]
    rows: tuple[Row, ...]
    ticks: tuple[tuple[float, str], ...]
    is_log: bool
    has_spread: bool
    has_off: bool


def table(comparison: ComparisonFolder, looks: Mapping[str, Look]) -> ResultsTable:
    """The comparison's table, as the page shows it."""
    entries = comparison.entries
    shown, further = _metric_names(comparison)
    columns, more = ([_column(entries, name, comparison) for name in names] for names in (shown, further))
    scale, is_share = _strip_scale(comparison), get_metric(comparison.metric).is_share
    costs = [
        # A method without a count learns nothing, or does not say how much.
        aligned([number(e.parameters or None) for e in entries]),
        aligned([number(e.ms_per_step) for e in entries]),
        aligned([number(e.seconds_per_epoch) for e in entries]),
    ]
    rows = tuple(
        _row(entry, k, comparison.metric, scale, looks[entry.name], columns, more, costs)
        for k, entry in enumerate(entries)
    )
    return ResultsTable(
        metrics=tuple(metric_title(n.removeprefix("test_"), is_short=True) for n in shown),
        further=tuple(metric_title(n.removeprefix("test_")) for n in further),
        costs=("parameters", "ms per step", "s per epoch"),
        rows=rows,
        ticks=tuple((scale.at(value), label) for value, label in scale.ticks(6) if not is_share or 0 <= value <= 1),
        is_log=scale.is_log,
        has_spread=any(len(row.seeds) > 1 for row in rows),
        has_off=any(row.off for row in rows),
    )


def _metric_names(comparison: ComparisonFolder) -> tuple[list[str], list[str]]:
    """The metrics that have a column, the deciding one first, and those that have not; the loss has its own plots."""
    names = list(dict.fromkeys([comparison.metric, *(name for e in comparison.entries for name in e.metrics)]))
    names = [name for name in names if name == comparison.metric or not name.endswith("_loss")]
    shown = shown_metrics(names, comparison.metric, comparison.task)[:_MOST_METRICS]
    return shown, [name for name in names if name not in shown]


def shown_metrics(names: Iterable[str], metric: str, task: str) -> list[str]:
    """Those of some metrics that a table has columns for: the deciding one, then those that the task shows, or all.

    Args:
        names: The metrics, with the prefix of the part.
        metric: The one that decides.
        task: The task's name.
    """
    known, others = known_task(task), [name for name in names if not name.endswith("_loss")]
    first = [name for name in (f"test_{bare}" for bare in (known.shown if known else ())) if name in others]
    return list(dict.fromkeys([metric, *(first or others)]))


def _strip_scale(comparison: ComparisonFolder) -> Axis:
    # The networks and the best baseline set the scale. Another baseline joins it while the strip stays readable;
    # one that is far off is shown as an arrow at the edge, or it would press all others into one spot.
    trained = [entry for entry in comparison.entries if not entry.is_baseline]
    values = [v for e in (*trained, *comparison.baselines[:1]) for v in e.metrics[comparison.metric].values]
    scale = Axis.over(values)
    for entry in comparison.baselines[1:]:
        wider = Axis.over([*values, *entry.metrics[comparison.metric].values])
        if wider.is_log == scale.is_log and wider.span() <= _WIDEST * scale.span():
            values += entry.metrics[comparison.metric].values
    return Axis.over(values)


def _column(entries: tuple[Entry, ...], name: str, comparison: ComparisonFolder) -> list[TableCell]:
    texts = aligned([str(e.metrics[name]) if name in e.metrics else "—" for e in entries])
    means = [
        e.metrics[name].mean for e in entries if name in e.metrics and e.metrics[name].mean == e.metrics[name].mean
    ]
    metric = get_metric(name)
    if name == comparison.metric:
        metric = dataclasses.replace(metric, lower_is_better=comparison.lower_is_better)
    has_best = metric.lower_is_better is not None or metric.target is not None
    best = min(means, key=metric.badness, default=None) if has_best else None
    return [
        TableCell(text, name in e.metrics and e.metrics[name].mean == best)
        for text, e in zip(texts, entries, strict=True)
    ]


_MOST_METRICS = 4
_WIDEST = 3.0


def _row(
    entry: Entry,
    k: int,
    metric: str,
    scale: Axis,
    look: Look,
    columns: list[list[TableCell]],
    further: list[list[TableCell]],
    costs: list[list[str]],
) -> Row:
    values = entry.metrics[metric]
    seeds = tuple((scale.at(v), number(v)) for v in values.values if v == v)
    off = "right" if values.mean > scale.high else "left" if values.mean < scale.low else ""
    if entry.is_network:
        note = f"{entry.cell}, {counted(entry.hidden, 'unit')}" if entry.hidden else entry.cell
        note = note.removeprefix(f"{entry.name}, ") if note != entry.name else ""
    else:
        note = "baseline" if entry.is_baseline else "with simple methods"
    return Row(
        name=entry.name,
        note=note,
        is_network=not entry.is_baseline,
        is_best=k == 0,
        colour=look.colour,
        seeds=seeds,
        mean_at=scale.at(values.mean) if values.mean == values.mean else 0.0,
        off=off,
        metrics=tuple(column[k] for column in columns),
        further=tuple(column[k] for column in further),
        costs=tuple(column[k] for column in costs),
    )
