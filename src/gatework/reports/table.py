"""The table of a comparison: one row per network and baseline, best first, with every seed visible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gatework.reports.folders import Comparison, Entry
from gatework.reports.formatting import aligned, counted, metric_title, number, with_spread
from gatework.reports.palette import Look
from gatework.reports.scales import Axis


@dataclass(frozen=True)
class Cell:
    """One figure of a row: its text, and whether it is the best of its column."""

    text: str
    is_best: bool = False


@dataclass(frozen=True)
class Row:
    """One network or baseline.

    Attributes:
        name: Its name.
        note: A few words below the name.
        is_network: Whether it is a network.
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
    metrics: tuple[Cell, ...]
    further: tuple[Cell, ...]
    costs: tuple[str, ...]


@dataclass(frozen=True)
class Table:
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


def table(comparison: Comparison, looks: Mapping[str, Look]) -> Table:
    """The comparison's table, as the page shows it."""
    entries = comparison.entries
    names = _metric_names(comparison)
    columns = [_column(entries, name, comparison) for name in names]
    scale = _strip_scale(comparison)
    costs = [
        aligned([number(e.parameters) for e in entries]),
        aligned([number(e.ms_per_step) for e in entries]),
        aligned([number(e.seconds_per_epoch) for e in entries]),
    ]
    rows = tuple(
        _row(entry, k, comparison.metric, scale, looks[entry.name], columns, costs) for k, entry in enumerate(entries)
    )
    return Table(
        metrics=tuple(metric_title(n) for n in names[:_MOST_METRICS]),
        further=tuple(metric_title(n) for n in names[_MOST_METRICS:]),
        costs=("parameters", "ms per step", "s per epoch"),
        rows=rows,
        ticks=tuple((scale.at(value), label) for value, label in scale.ticks(6)),
        is_log=scale.is_log,
        has_spread=any(len(row.seeds) > 1 for row in rows),
        has_off=any(row.off for row in rows),
    )


def _metric_names(comparison: Comparison) -> list[str]:
    # The deciding metric first; a root says nothing that its square did not, and the loss has its own plots.
    found = dict.fromkeys([comparison.metric, *(name for e in comparison.entries for name in e.metrics)])
    redundant = {"test_rmse"} if "test_mse" in found else set()
    kept = [n for n in found if n == comparison.metric or not (n in redundant or n.endswith("loss"))]
    first = _FIRST.get(comparison.task, ())
    return sorted(kept, key=lambda n: first.index(n) if n in first else len(first))


def _strip_scale(comparison: Comparison) -> Axis:
    # The networks and the best baseline set the scale. Another baseline joins it while the strip stays readable;
    # one that is far off is shown as an arrow at the edge, or it would press all others into one spot.
    values = [v for e in (*comparison.networks, *comparison.baselines[:1]) for v in e.metrics[comparison.metric].values]
    scale = Axis.over(values)
    for entry in comparison.baselines[1:]:
        wider = Axis.over([*values, *entry.metrics[comparison.metric].values])
        if wider.is_log == scale.is_log and wider.span() <= _WIDEST * scale.span():
            values += entry.metrics[comparison.metric].values
    return Axis.over(values)


def _column(entries: tuple[Entry, ...], name: str, comparison: Comparison) -> list[Cell]:
    texts = aligned([with_spread(e.metrics[name]) if name in e.metrics else "—" for e in entries])
    means = [
        e.metrics[name].mean for e in entries if name in e.metrics and e.metrics[name].mean == e.metrics[name].mean
    ]
    # Errors and losses are better when small; the deciding metric says so itself. Coverage should be what was promised.
    lower = comparison.lower_is_better if name == comparison.metric else name.rpartition("_")[2] in _ERRORS
    promised = int(name.rpartition("_")[2]) / 100 if "coverage" in name else 0.0
    order = (lambda m: abs(m - promised)) if promised else (lambda m: m if lower else -m)
    best = min(means, key=order, default=None)
    return [
        Cell(text, name in e.metrics and e.metrics[name].mean == best) for text, e in zip(texts, entries, strict=True)
    ]


_MOST_METRICS = 4
_FIRST = {"forecast": ("test_mase", "test_wql", "test_coverage_80", "test_coverage_95")}
_WIDEST = 3.0
_ERRORS = {"mse", "mae", "rmse", "loss", "mase", "smape", "wql"}


def _row(
    entry: Entry, k: int, metric: str, scale: Axis, look: Look, columns: list[list[Cell]], costs: list[list[str]]
) -> Row:
    values = entry.metrics[metric]
    seeds = tuple((scale.at(v), number(v)) for v in values.values if v == v)
    off = "right" if values.mean > scale.high else "left" if values.mean < scale.low else ""
    if entry.is_network:
        note = f"{entry.cell}, {counted(entry.hidden, 'unit')}" if entry.hidden else entry.cell
        note = note.removeprefix(f"{entry.name}, ") if note != entry.name else ""
    else:
        note = "baseline"
    return Row(
        name=entry.name,
        note=note,
        is_network=entry.is_network,
        is_best=k == 0,
        colour=look.colour,
        seeds=seeds,
        mean_at=scale.at(values.mean) if values.mean == values.mean else 0.0,
        off=off,
        metrics=tuple(column[k] for column in columns[:_MOST_METRICS]),
        further=tuple(column[k] for column in columns[_MOST_METRICS:]),
        costs=tuple(column[k] for column in costs),
    )
