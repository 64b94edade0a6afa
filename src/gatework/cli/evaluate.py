"""`gatework evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gatework.cli import _options as options


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    data: Annotated[str | None, typer.Argument(metavar="[FILE]", help="A table or folder with known answers.")] = None,
    as_json: options.AsJson = False,
    *,
    changes: options.Changes,
) -> None:
    """Measure a run on a file with known answers, or show what it reached on its own test part."""
    from gatework._files import finite
    from gatework.cli._show import measured_table, metrics_table
    from gatework.training import Run

    opened = Run.open(run)
    if data is None:
        metrics = opened.summary["metrics"]
        print(json.dumps(metrics, indent=2)) if as_json else metrics_table(metrics)
        return
    scores = opened.predictor.evaluate(data, **options.bare(changes))
    if as_json:
        content = (
            {"metrics": scores.metrics, "baselines": dict(scores.baselines)} if scores.baselines else scores.metrics
        )
        print(json.dumps(finite(content), indent=2))
    elif scores.baselines:
        measured_table({"network": scores.metrics, **scores.baselines})
    else:
        metrics_table(scores.metrics)
