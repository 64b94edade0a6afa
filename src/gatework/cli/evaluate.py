"""`gatework evaluate`."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatework.cli import _options as options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatework.tasks import Scores
    from gatework.training import Predictor


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    data: Annotated[str | None, typer.Argument(metavar="FILE", help="A table or folder with known answers.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write every answer beside the known one to a .csv, .json, .jsonl or .parquet file."),
    ] = None,
    weights: options.Weights = "float32",
    as_json: options.AsJson = False,
    *,
    changes: options.Changes,
) -> None:
    """Measure a run on a file with known answers, or show what it reached on its own test part.

    With --out, its answers stand beside the known ones: of a forecast, every step of every forecast (a backtest).
    """
    from gatework._files import finite
    from gatework.cli._predictions import write_predictions
    from gatework.cli._show import answer_lines, better_line, breakdown_table, highlights, scores_tables
    from gatework.errors import UsageError
    from gatework.training import Predictor, Run
    from gatework.training.progress import tell

    opened = Run.open(run)
    # Its metrics are known by their titles once it is.
    task, given = opened.task, options.bare(changes)
    if data is None and given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UsageError(f"{flags} is about a FILE with known answers; without one the run shows what it reached")
    if data is None and weights != "float32":
        raise UsageError(f"--weights {weights} is about a FILE with known answers; without one nothing is computed")
    predictor = None if data is None else Predictor(opened, weights)
    is_in_parts = predictor is not None and out is not None and predictor.is_in_parts(data, **given)
    if predictor is not None and data is not None and out is not None and is_in_parts:
        scores = _written_in_parts(predictor, data, given, out)
    else:
        scores = opened.scores if predictor is None else predictor.evaluate(data, **given)
    tell(scores.notes)
    if out is not None and not is_in_parts:
        rows = opened.backtest if predictor is None else predictor.backtest(data, scores)
        write_predictions(rows, out, task.given(scores.test))
    if as_json:
        content = (
            {"metrics": scores.metrics, "baselines": dict(scores.baselines)} if scores.baselines else scores.metrics
        )
        print(json.dumps(finite(content), indent=2))
    else:
        scores_tables(task, scores)
        if scores.baselines and task.blend:
            answer_lines(task.blend)
        better_line(task, scores)
        keeps_rows = predictor is None and (opened.path / f"{task.row_table}.parquet").exists()
        breakdown_table(task, scores, opened.backtest if keeps_rows else None)
        if keeps_rows:
            print()
            highlights(opened)


def _written_in_parts(predictor: Predictor, data: str, given: Mapping[str, Any], out: Path) -> Scores:
    """What was reached on a large table, whose answers are written as they come."""
    from gatework.cli._parts import Part, write_parts
    from gatework.training.progress import stopped_with

    measured = predictor.measure_parts(data, **given)
    with stopped_with("stopped; nothing was written"):
        write_parts(itertools.starmap(Part, measured.backtest()), out)
    return measured.scores
