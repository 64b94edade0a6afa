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
    label: Annotated[
        str | None, typer.Option(help="The column that says which rows are anomalous, for detectors.")
    ] = None,
    as_json: options.AsJson = False,
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
    found = opened.measure(data, label=label)
    if as_json:
        content = {"metrics": found.metrics, "baselines": dict(found.baselines)} if found.baselines else found.metrics
        print(json.dumps(finite(content), indent=2))
    elif found.baselines:
        measured_table({"network": found.metrics, **found.baselines})
    else:
        metrics_table(found.metrics)
