"""A table that nobody has said anything of yet, on standard output: what it holds, and which command learns from it."""

from __future__ import annotations

import json
import shlex
import sys
import textwrap
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Lines

from gatework.cli._show import say
from gatework.data.column_summaries import column_summaries
from gatework.data.tables import Table
from gatework.formatting import counted, printable
from gatework.options import TASKS, ColumnSummary

_MOST_COLUMNS = 30
_MOST_CHARACTERS = 40
_WIDTH = 110
_INDENT = "    "


def overview(table: Table, source: str, *, as_json: bool) -> None:
    """Prints what each column of a table holds, which tasks suit it, and the command of each."""
    columns = column_summaries(table)
    suiting = {task.name: options for task in TASKS.values() if (options := task.options_for(columns)) is not None}
    commands = {
        name: shlex.join(["gatework", "train", name, source, *options, "--out", "RUN"])
        for name, options in suiting.items()
    }
    if as_json:
        said = {
            "task": None,
            "rows": len(table),
            "columns": [asdict(column) for column in columns],
            "commands": commands,
            "remarks": list(table.notes),
        }
        print(json.dumps(said, indent=2, ensure_ascii=False))
        return
    say(f"{table.where}: {counted(len(table), 'row')}, {counted(len(columns), 'column')}")
    print()
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(_columns(columns))
    if len(columns) > _MOST_COLUMNS:
        print(f"... and {len(columns) - _MOST_COLUMNS:,} more")
    for note in table.notes:
        say(f"- {note}")
    print()
    if not commands:
        say("No task learns from such columns by themselves; gatework train TASK --help says what each needs.")
        return
    say("What could be learnt from them, each by its command; name other columns where these are not meant:")
    for name, command in commands.items():
        print()
        say(TASKS[name].about)
        print(_command(printable(command)))
    print()
    say(
        "To look first, ask gatework check in place of gatework train, without --out; gatework compare takes the same "
        "options and puts networks beside simple methods."
    )


def _command(line: str) -> str:
    """A command as it can be copied: where a terminal is too narrow, in lines that end as a shell's do."""
    width = Console().width - len(_INDENT) - len(" \\")
    if not sys.stdout.isatty() or len(line) <= width:
        return _INDENT + line
    whole = " ".join(shlex.quote(word).replace(" ", "\0") for word in shlex.split(line))
    lines = textwrap.wrap(whole, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return " \\\n".join(_INDENT + part for part in lines).replace("\0", " ")


def _columns(columns: tuple[ColumnSummary, ...]) -> Lines:
    lines = Lines(box=None, pad_edge=False, header_style="bold")
    for title in ("column", "holds", "such as"):
        lines.add_column(title, overflow="fold")
    for column in columns[:_MOST_COLUMNS]:
        examples = ", ".join(column.examples)
        cut = examples if len(examples) <= _MOST_CHARACTERS else f"{examples[: _MOST_CHARACTERS - 1]}…"
        lines.add_row(*(escape(printable(text)) for text in (column.name, _holding(column), cut)))
    return lines


def _holding(column: ColumnSummary) -> str:
    said = {
        "times": "times",
        "number": f"numbers, {column.distinct:,} that differ",
        "numbering": "a numbering of the rows",
        "words": f"{column.distinct:,} words that come again",
        "names": f"words, {column.distinct:,} that differ",
        "text": f"texts, {column.distinct:,} that differ",
        "nested": "values within values, which no task reads",
        "nothing": "nothing that differs",
    }[column.kind]
    return said + (f", {column.missing:,} missing" if column.missing else "")
