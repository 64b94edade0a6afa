"""`gatework bench`: our layers against torch.nn on this machine."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from gatework.cli import _options as options


def bench(
    shapes: Annotated[str, typer.Option(help="Shapes separated by commas; all by default.")] = "",
    pairs: Annotated[int, typer.Option(help="How many pairs of runs give each figure.")] = 15,
    as_json: options.AsJson = False,
) -> None:
    """Time training steps against torch.nn, in alternation, and print the ratios with their spread."""
    from gatework.evaluation import timing

    timings = []
    for shape in timing.choose([name for name in shapes.split(",") if name]):
        for cell in timing.CELLS:
            for flushes in (True, False):
                timings.append(timing.compare(shape, cell, pairs=pairs, flushes_subnormals=flushes))
                print(timings[-1].line(), file=sys.stderr if as_json else sys.stdout, flush=True)
    if as_json:
        print(json.dumps(timing.as_json(timings), indent=2))
