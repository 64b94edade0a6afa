"""`gatework predict`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from gatework.cli import _options as options


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
        Path | None, typer.Option(help="Draw the predictions into a .html page, or a .png, .svg or .pdf image.")
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
    from gatework._files import finite, folder_of, write_text
    from gatework.cli._parts import Part, write_parts
    from gatework.cli._show import predictions_table, say, write_predictions
    from gatework.data.lines import waiting_lines
    from gatework.data.microphone import Listening
    from gatework.data.tables import is_parquet_folder, is_path
    from gatework.errors import UsageError
    from gatework.formatting import printable
    from gatework.training import Predictor, Run
    from gatework.training.progress import end_reads_on_signal, stopped_with, tell

    opened = Run.open(run)
    if further and (opened.task.takes or not opened.task.needs_input):
        raise UsageError(f'"{" ".join(further)}" is too much: what has blanks needs quotes')
    if mic and not opened.task.reads_bytes:
        raise UsageError(f'--mic is of runs that read sound, and "{opened.path.name}" does not')
    if stream or mic:
        if data is not None or out is not None or plot is not None:
            raise UsageError("--stream reads standard input and writes standard output; give no file with it")
        predictor = Predictor(opened, weights)
        end_reads_on_signal()
        with stopped_with("stopped"):
            given = options.bare(changes)
            if opened.task.reads_bytes:
                source = Listening() if mic else sys.stdin.buffer
                given |= {"input_rate": source.rate} if isinstance(source, Listening) else {}
                for line in predictor.answer_bytes(source, **given):
                    print(line, flush=True)
                return
            for answers in predictor.answer_blocks(waiting_lines(sys.stdin), **given):
                print("\n".join(answers), flush=True)
        return
    forms = opened.task.formats
    if form is not None and form not in forms:
        known = f"one of {', '.join(forms)}" if forms else "none, as this task has no forms of its own"
        raise UsageError(f'--format is "{form}", expected {known}')
    predictor = Predictor(opened, weights)
    end_reads_on_signal()
    is_whole = plot is not None or as_json or form is not None
    is_folder = data is not None and opened.task.reads_parts and is_path(data) and is_parquet_folder(Path(data))
    if is_folder and is_whole:
        raise UsageError(f"{data} is a folder that is predicted part by part; leave --plot, --json and --format out")
    is_one_piece = is_whole or (out is not None and out.suffix == ".json")
    if data is not None and (is_folder or (not is_one_piece and predictor.is_in_parts(data, **options.bare(changes)))):
        with stopped_with("stopped; nothing was written"):
            splits = predictor.read_parts(data, **options.bare(changes))
            write_parts((Part(predictor.rows(each), opened.task.given(each.beside)) for each in splits), out)
        return
    source = data if data is not None or not opened.task.needs_input else _standard_input()
    split = predictor.read([data, *further] if further else source, **options.bare(changes))
    tell(split.notes)
    is_shown = out is None and plot is None and not as_json
    if is_shown and (pieces := predictor.pieces(split)) is not None:
        with stopped_with("stopped"):
            for piece in pieces:
                print(piece, end="", flush=True)
        return
    rows = predictor.rows(split)
    kept = opened.task.given(split.beside)
    if plot is not None:
        from gatework import reports

        title = f"{opened.path.name}: {Path(data).name if data else 'what comes next'}"
        with folder_of(plot):
            reports.plot(opened.task.charts(split, rows), plot, printable(title))
    if out is not None and (form or out.suffix[1:]) in forms and out.suffix != ".json":
        with folder_of(out):
            write_text(out, opened.task.written(rows, form or out.suffix[1:]))
    elif out is not None:
        write_predictions(rows, out, kept)
        for line in opened.task.summary(rows):
            say(line)
    elif form is not None:
        print(opened.task.written(rows, form), end="")
    elif as_json:
        print(json.dumps(finite(rows.to_dicts()), indent=2, ensure_ascii=False, default=str))
    elif (lines := opened.task.lines(rows)) is not None:
        print("\n".join(lines))
        tell(opened.task.summary(rows))
    else:
        predictions_table(rows, kept)


def _standard_input() -> list[str]:
    from gatework.data._content import lines_of
    from gatework.errors import DataError
    from gatework.training.progress import stopped_with

    if sys.stdin.isatty():
        print("reading lines from the terminal; end with Ctrl-D", file=sys.stderr)
    with stopped_with("stopped before the input ended; nothing was predicted"):
        try:
            return lines_of(sys.stdin.read())
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            raise DataError(f"standard input: byte 0x{byte:02x} is not valid UTF-8; convert it to UTF-8") from None
