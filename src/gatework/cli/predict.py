"""`gatework predict`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatework.cli import _options as options

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

    from gatework.data.dataset import Split
    from gatework.tasks import Task
    from gatework.training import Predictor, Run


def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="INPUT",
            help="One text, a file, or a folder of Parquet files; if absent, standard input, line by line, or the end "
            "of the training table.",
        ),
    ] = None,
    further: Annotated[
        list[str] | None, typer.Argument(metavar="RECORDING", help="Where recordings are heard, further ones.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write a .csv, .json, .jsonl or .parquet file; of a folder of Parquet files also a folder."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw the predictions into a .html page, or a .png, .svg or .pdf image, and print none."),
    ] = None,
    stream: Annotated[
        bool,
        typer.Option("--stream", help="Answer rows, or raw 16-bit sound, from standard input, each at once."),
    ] = False,
    mic: Annotated[
        bool,
        typer.Option("--mic", help="Answer sound from this machine's microphone as it comes, until Ctrl-C."),
    ] = False,
    form: Annotated[
        str | None, typer.Option("--format", help="Print in a form that the task has, such as srt, vtt or json.")
    ] = None,
    weights: options.Weights = "float32",
    as_json: options.AsJson = False,
    *,
    changes: options.Changes,
) -> None:
    """Predict one text, every row of a file, every line of standard input, or the steps that follow a table."""
    from gatework.data.tables import is_parquet_folder, is_path
    from gatework.errors import UsageError
    from gatework.training import Predictor, Run
    from gatework.training.progress import end_reads_on_signal, tell

    opened, given = Run.open(run), options.bare(changes)
    task = opened.task
    if further and (task.takes or not task.needs_input):
        raise UsageError(f'"{" ".join(further)}" is too much: what has blanks needs quotes')
    if mic and not task.reads_bytes:
        raise UsageError(f'--mic is of runs that read sound, and "{opened.path.name}" does not')
    if stream or mic:
        if data is not None or out is not None or plot is not None:
            raise UsageError("--stream reads standard input and writes standard output; give no file with it")
        _answer_stream(Predictor(opened, weights), given, mic=mic)
        return
    if form is not None and form not in task.formats:
        known = f"one of {', '.join(task.formats)}" if task.formats else "none, as this task has no forms of its own"
        raise UsageError(f'--format is "{form}", expected {known}')
    predictor = Predictor(opened, weights)
    end_reads_on_signal()
    is_whole = plot is not None or as_json or form is not None
    is_folder = data is not None and task.reads_parts and is_path(data) and is_parquet_folder(Path(data))
    if is_folder and is_whole:
        raise UsageError(f"{data} is a folder that is predicted part by part; leave --plot, --json and --format out")
    is_one_piece = is_whole or (out is not None and out.suffix == ".json")
    if data is not None and (is_folder or (not is_one_piece and predictor.is_in_parts(data, **given))):
        _answer_parts(predictor, data, given, out)
        return
    source: Any = data
    if data is None and task.needs_input:
        # What judges tables says so before anybody has typed lines for it.
        source = [] if task.takes == ("rows",) else _standard_input(given.get("encoding"))
    split = predictor.read([data, *further] if further else source, **given)
    tell(split.notes)
    is_shown = out is None and plot is None and not as_json
    if is_shown and (pieces := predictor.pieces(split)) is not None:
        _print_pieces(pieces)
        return
    rows = predictor.rows(split)
    if plot is not None:
        _draw(opened, split, rows, plot, Path(data).name if data else "what comes next")
    if out is not None:
        _write(task, split, rows, out, form)
    elif plot is not None and form is None and not as_json:
        print(plot)
        tell(task.summary(rows))
    else:
        _print(task, split, rows, form, as_json=as_json)


def _answer_stream(predictor: Predictor, given: Mapping[str, Any], *, mic: bool) -> None:
    """Answers what comes on standard input, or from the microphone, at once."""
    from gatework.data.lines import waiting_lines
    from gatework.data.microphone import Listening
    from gatework.training.progress import end_reads_on_signal, stopped_with, tell

    end_reads_on_signal()
    with stopped_with("stopped"):
        if predictor.task.reads_bytes:
            source = Listening() if mic else sys.stdin.buffer
            rate = {"input_rate": source.rate} if isinstance(source, Listening) else {}
            for line in predictor.answer_bytes(source, tell, **given, **rate):
                print(line, flush=True)
            return
        for answers in predictor.answer_blocks(waiting_lines(sys.stdin), tell, **given):
            print("\n".join(answers), flush=True)


def _answer_parts(predictor: Predictor, data: str, given: Mapping[str, Any], out: Path | None) -> None:
    """Answers a large table, or a folder of Parquet files, part by part in constant memory."""
    from gatework.cli._parts import Part, write_parts
    from gatework.training.progress import stopped_with, tell

    with stopped_with("stopped; nothing was written"):
        splits = predictor.read_parts(data, tell, **given)
        write_parts((Part(predictor.rows(each), predictor.task.given(each.beside)) for each in splits), out)


def _print_pieces(pieces: Iterable[str]) -> None:
    """Prints a text that the network writes, as it comes."""
    from gatework.training.progress import stopped_with

    with stopped_with("stopped"):
        for piece in pieces:
            print(piece, end="", flush=True)


def _draw(run: Run, split: Split, rows: pl.DataFrame, plot: Path, of: str) -> None:
    """Draws answers into a page or an image."""
    from gatework import reports
    from gatework._files import folder_of
    from gatework.formatting import printable

    with folder_of(plot):
        reports.plot(run.task.charts(split, rows), plot, printable(f"{run.path.name}: {of}"))


def _write(task: Task, split: Split, rows: pl.DataFrame, out: Path, form: str | None) -> None:
    """Writes answers to a file: in a form of the task's, where one is asked for or the file's ending names it."""
    from gatework._files import folder_of, write_text
    from gatework.cli._predictions import write_predictions
    from gatework.cli._show import say

    if (form or out.suffix[1:]) in task.formats and out.suffix != ".json":
        with folder_of(out):
            write_text(out, task.written(rows, form or out.suffix[1:]))
        return
    write_predictions(rows, out, task.given(split.beside))
    for line in task.summary(rows):
        say(line)


def _print(task: Task, split: Split, rows: pl.DataFrame, form: str | None, *, as_json: bool) -> None:
    """Prints answers: in a form of the task's, as JSON, as the task's own lines, or as a table."""
    from gatework._files import finite
    from gatework.cli._predictions import predictions_table
    from gatework.training.progress import tell

    if form is not None:
        print(task.written(rows, form), end="")
    elif as_json:
        print(json.dumps(finite(rows.to_dicts()), indent=2, ensure_ascii=False, default=str))
    elif (lines := task.lines(rows)) is not None:
        print("\n".join(lines))
        tell(task.summary(rows))
    else:
        predictions_table(rows, task.given(split.beside))


def _standard_input(encoding: str | None) -> list[str]:
    from gatework.data._content import as_utf8, lines_of
    from gatework.data.lines import SOURCE
    from gatework.training.progress import stopped_with, tell

    if sys.stdin.isatty():
        print("reading lines from the terminal; end with Ctrl-D", file=sys.stderr)
    with stopped_with("stopped before the input ended; nothing was predicted"):
        # What stands in for standard input may hold text.
        bytes_of = getattr(sys.stdin, "buffer", None)
        content = bytes_of.read() if bytes_of else sys.stdin.read().encode("utf-8", "surrogateescape")
        content, _, notes = as_utf8(content, Path(SOURCE), encoding)
        tell(notes)
        return lines_of(content.decode())
