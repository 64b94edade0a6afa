"""Results as tables on standard output."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gatework.formatting import counted, printable

if TYPE_CHECKING:
    import polars as pl

    from gatework.tasks import Scores, Task
    from gatework.tasks._blend import Blend
    from gatework.training.run import Run

# The width of a table that is not shown on a terminal.
_WIDTH = 110
_MOST_PARTS = 40
# More metrics than these stand in a second table, which a terminal of 80 columns holds too.
_MOST_COLUMNS = 3
# What several methods reached, a method per line.
_MOST_MEASURED = 4
# A terminal that is not wide, and a figure of four digits.
_NARROW, _FIGURE = 80, 8


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=_WIDTH)


def number(value: float, std: float | None = None) -> str:
    """A value with three significant digits and, if there is one, its spread over seeds."""
    return figure(value, 3) if std is None else f"{value:.3g} ± {std:.1g}"


def figure(value: float, digits: int) -> str:
    """A value with so many significant digits, zeros at its end too: as exact as those above and below it."""
    return f"{value:#.{digits}g}".rstrip(".") if value else "0"


def comparison_table(content: dict[str, Any]) -> None:
    """Prints a comparison's entries, best first, and its verdict; all metrics are in its report."""
    from gatework import tasks
    from gatework.pages.step_options import step_options

    metric = content["metric"]
    shown = (f"test_{name}" for name in tasks.get(content["task"]).shown)
    columns = list(dict.fromkeys([metric, *(name for name in shown if name in content["entries"][0]["metrics"])]))
    console = _console()
    for place, group in enumerate(_metric_groups(content, columns, console)):
        console.print(_entries_table(content, group, has_cost=place == 0))
        console.print()
    options = step_options(content["recipe"]["model"])
    lines = [f"Around every cell: {options}."] if options else []
    verdict = content["verdict"].removeprefix(content["headline"]).strip()
    for line in (*lines, *content["absent"], content["headline"], verdict):
        console.print(printable(line), markup=False, highlight=False)


def _metric_groups(content: dict[str, Any], columns: Sequence[str], console: Console) -> list[list[str]]:
    """The metrics of each table of a comparison, the first with what an entry costs: as many as a terminal holds."""
    wide, groups = console.options.update(max_width=10_000), [[columns[0]]]
    for name in columns[1:]:
        is_first, tried = len(groups) == 1, [*groups[-1], name]
        table = _entries_table(content, tried, has_cost=is_first)
        is_full = is_first and len(tried) > _MOST_COLUMNS
        if is_full or console.measure(table, options=wide).maximum > console.width:
            groups.append([name])
        else:
            groups[-1] = tried
    return groups


def _entries_table(content: dict[str, Any], columns: list[str], *, has_cost: bool) -> Table:
    """One line per entry of a comparison, the best first, with some of its metrics and what it costs."""
    from gatework.tasks import get_metric, metric_title

    metric, sign = content["metric"], 1 if content["lower_is_better"] else -1
    table = Table(box=None, pad_edge=False, header_style="bold")
    # Where a terminal is too narrow for one metric, a name is cut into lines, and never a figure.
    table.add_column(escape(printable(f"{content['dataset']}, test part")))
    for name in columns:
        # "80 % coverage" in two lines, so that many columns fit.
        title = metric_title(name.removeprefix("test_"), is_short=True).replace("% ", "%\n")
        table.add_column(title, justify="right", no_wrap=True)
    if has_cost:
        table.add_column("parameters", justify="right", no_wrap=True)
        table.add_column("ms/step", justify="right", no_wrap=True)
    for entry in sorted(content["entries"], key=lambda e: sign * e["metrics"][metric]["mean"]):
        is_network, is_baseline = entry["kind"] == "network", entry["kind"] == "baseline"
        cells = []
        for name in columns:
            value = entry["metrics"].get(name)
            has_spread = has_cost and value and len(value["values"]) > 1 and get_metric(name).target is None
            cells.append(number(value["mean"], value["std"] if has_spread else None) if value else "")
        if has_cost:
            cells.append(f"{entry['parameters']:,}" if entry["parameters"] else "—")
            cells.append(f"{entry['ms_per_step']:.2f}" if is_network else "")
        table.add_row(escape(printable(entry["name"])), *cells, style="dim" if is_baseline else None)
    return table


def metrics_table(
    metrics: Mapping[str, float], beside: Mapping[str, Mapping[str, float]] | None = None, name: str = "answer"
) -> None:
    """Prints one metric per line.

    Args:
        metrics: The figures, by name.
        beside: Those of others, each in a column with its title.
        name: Whose figures they are, where others stand beside them.
    """
    from gatework.tasks import metric_title

    width = max(len(metric_title(name)) for name in metrics)
    if beside:
        print(f"{'':<{width}}  {name:<{_FIGURE}}  {'  '.join(f'{title:<{_FIGURE}}' for title in beside).rstrip()}")
    for metric, value in metrics.items():
        figures = ((title, figure(each[metric], 4) if metric in each else "") for title, each in (beside or {}).items())
        others = (f"{text:<{max(len(title), _FIGURE)}}" for title, text in figures)
        print("  ".join((f"{metric_title(metric):<{width}}", f"{figure(value, 4):<{_FIGURE}}", *others)).rstrip())


def scores_tables(task: Task, scores: Scores) -> None:
    """Prints what was reached beside what others reach: a column each where 80 columns hold them, else a line each."""
    from gatework.tasks import metric_title
    from gatework.tasks._blend import NETWORK, NETWORK_ALONE

    name = "answer" if task.blend and not task.blend.is_network else NETWORK
    titles = max(len(metric_title(metric)) for metric in scores.metrics)
    needed = titles + 2 + _FIGURE + sum(2 + max(len(other), _FIGURE) for other in scores.baselines)
    if needed <= _NARROW:
        metrics_table(scores.metrics, scores.baselines, name)
        return
    alone = {other: each for other, each in scores.baselines.items() if other == NETWORK_ALONE}
    shown = [metric for bare in task.shown if (metric := _named(scores, bare))][:_MOST_MEASURED]
    if shown:
        metrics_table(scores.metrics, alone, name)
        print()
    rows = {name: scores.metrics, **scores.baselines}
    names = shown or list(scores.metrics)
    measured_table({other: {_bare(m): each[m] for m in names if m in each} for other, each in rows.items()})


def better_line(task: Task, scores: Scores) -> None:
    """Prints which simple method does better than what answers, or hardly so, where one does."""
    from gatework.tasks import metric_title
    from gatework.tasks._blend import NETWORK_ALONE
    from gatework.tasks._evaluation import LEVEL

    metric = _named(scores, task.metric)
    better = scores.better(metric, lower_is_better=task.lower_is_better) if metric else []
    if first := next((name for name in better if name != NETWORK_ALONE), None):
        ours, theirs = scores.metrics[metric], scores.baselines[first][metric]
        is_level = scores.is_level(first, metric)
        what = f"a simple method is as good, within {100 * LEVEL:.0f} %" if is_level else "a simple method is better"
        say(f"{what}: {first}, {metric_title(metric)} {number(theirs)} beside {number(ours)}")


def _bare(metric: str) -> str:
    return metric.removeprefix("test_")


def _named(scores: Scores, bare: str) -> str:
    """The name that a metric has among scores, with the prefix of the part or without; empty where it has none."""
    return next((name for name in (f"test_{bare}", bare) if name in scores.metrics), "")


def answer_lines(answer: Blend) -> None:
    """Prints what answers in a run, and among what it was chosen."""
    errors = ", ".join(f"{name} {number(error)}" for name, error in answer.validation.items())
    by = answer.measure or "the error there"
    chosen = f"chosen on the validation part, by {by}: {errors or 'none has one'}"
    if answer.preference:
        chosen += f"; {answer.preference}"
    if answer.refitted:
        chosen += f"; {answer.refitted} then learnt from the training and the validation part"
    say(f"answer: {answer.name}")
    say(chosen)


def say(line: str) -> None:
    """Prints a line, cut between words on a terminal; one that is read by a script stays one."""
    Console().print(printable(line), soft_wrap=not sys.stdout.isatty(), markup=False, highlight=False, emoji=False)


def breakdown_table(task: Task, scores: Scores, rows: pl.DataFrame | None = None) -> None:
    """Prints the figures of each class or series, where a task has such; more of them than fit are left out.

    Args:
        task: What answered.
        scores: What was reached.
        rows: The rows that a run keeps, where it keeps such beside its answers.
    """
    if scores.examples:
        print(f"{scores.examples:,} examples, read part by part")
        parts = scores.breakdown
    elif scores.answers is None or scores.test is None:
        return
    else:
        if not task.row_table:
            print(f"{len(scores.answers):,} examples")
        test = rows if task.row_table else scores.test
        parts = None if test is None else task.breakdown(scores.answers, test)
    if parts is None or len(parts) < 2:
        return
    console = _console()
    wide = console.options.update(max_width=10_000)
    first, *others = parts.columns
    groups: list[list[str]] = [[]]
    for name in others:
        # A terminal that is too narrow for a figure would cut it, so that the figure stands in a further table.
        tried = _parts_table(parts.select(first, *groups[-1], name))
        if groups[-1] and console.measure(tried, options=wide).minimum + 2 * len(tried.columns) > console.width:
            groups.append([])
        groups[-1].append(name)
    for group in groups:
        console.print()
        console.print(_parts_table(parts.select(first, *group)))
    if len(parts) > _MOST_PARTS:
        console.print(f"... and {len(parts) - _MOST_PARTS:,} more; --out FILE writes every answer")


def _parts_table(parts: pl.DataFrame) -> Table:
    from gatework.tasks import metric_title

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in parts.columns:
        title = escape(printable(metric_title(name, is_short=True)))
        table.add_column(title, justify="left" if name == parts.columns[0] else "right")
    for row in parts.head(_MOST_PARTS).iter_rows():
        table.add_row(*(number(value) if isinstance(value, float) else escape(printable(str(value))) for value in row))
    return table


def measured_table(methods: dict[str, dict[str, float]]) -> None:
    """Prints the metrics of several methods, one method per line, in as many tables as 80 columns ask for."""
    console, names = _console(), list(next(iter(methods.values())))
    for first in range(0, len(names), _MOST_MEASURED):
        if first:
            console.print()
        console.print(_methods_table(methods, names[first : first + _MOST_MEASURED]))


def _methods_table(methods: Mapping[str, Mapping[str, float]], names: Sequence[str]) -> Table:
    from gatework.tasks import metric_title

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for name in names:
        table.add_column(metric_title(name, is_short=True), justify="right")
    for method, metrics in methods.items():
        table.add_row(method, *("" if metrics[name] != metrics[name] else number(metrics[name]) for name in names))
    return table


def run_summary(run: Run) -> None:
    """Prints a finished run's metrics, size and time, and what to do next."""
    from gatework.pages.step_options import step_options

    summary = run.summary
    scores_tables(run.task, run.scores)
    if run.task.blend:
        answer_lines(run.task.blend)
    better_line(run.task, run.scores)
    further_table(run)
    highlights(run)
    kept = summary["best_epoch"] if run.recipe.training.best_weights else summary["epochs"]
    say(
        f"{summary['parameters']:,} parameters, {counted(summary['epochs'], 'epoch')}, the weights of epoch {kept} "
        f"kept, {summary['seconds']:.0f} s, {summary['ms_per_step']:.1f} ms per step"
    )
    say(f"{counted(run.threads, 'thread')}; another number of them changes the last digits of the weights")
    if options := step_options(run.recipe.to_dict()["model"]):
        say(f"around the cell: {options}")
    print(f"\nRun: {run.path}")
    path = shlex.quote(str(run.path))
    print(f"Next: gatework report {path}, gatework predict {path} {run.task.example_input}".rstrip())
    for command in run.task.next_commands:
        print(f"      {command.replace('{run}', path)}")


def highlights(run: Run) -> None:
    """Prints what the rows that a run keeps come to, where its task says something of them."""
    from gatework.training.run import read_table

    file = run.path / f"{run.task.row_table}.parquet"
    for line in run.task.highlights(read_table(file)) if run.task.row_table and file.exists() else ():
        say(line)


def further_table(run: Run) -> None:
    """Prints what the further trainings of a run came to, where it has such."""
    from gatework.training.run import FURTHER_TABLE, read_table

    file = run.path / f"{FURTHER_TABLE}.parquet"
    if file.exists():
        rows = {row.pop("training"): row for row in read_table(file).to_dicts()}
        console = _console()
        console.print(_methods_table(rows, [f"test_{name}" for name in run.task.shown]))


def search_table(content: dict[str, Any]) -> None:
    """Prints the best trial of a search beside where it started, which of the two is kept, and its verdict."""
    start, best = (content["trials"][k]["values"] for k in (0, content["best_trial"]))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("option", no_wrap=True)
    for name in ("default", "best"):
        title = f"{name}, kept" if name == content["chosen"] else name
        table.add_column(title, justify="right", no_wrap=True)
    for name, value in best.items():
        shown = (_setting(start[name]), _setting(value))
        table.add_row(escape(name), *map(escape, shown), style=None if value != start[name] else "dim")
    console = _console()
    console.print(table)
    console.print()
    verdict = content["verdict"].removeprefix(content["headline"]).strip()
    for line in (content["headline"], verdict):
        console.print(printable(line), markup=False, highlight=False)


def _setting(value: Any) -> str:
    """A value of an option in a table."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
