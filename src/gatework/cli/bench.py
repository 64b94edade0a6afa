"""`gatework bench`: our layers against torch.nn and other libraries on this machine."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from gatework.cli import _options as options


def bench(
    shapes: Annotated[str, typer.Option(help="Shapes separated by commas; all by default.")] = "",
    pairs: Annotated[int, typer.Option(min=2, help="How many pairs of runs give each figure.")] = 15,
    peers: Annotated[
        str | None,
        typer.Option(help='Libraries besides torch, by commas: keras, flax; those installed by default, "" for none.'),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Time training steps against torch.nn and other libraries, in alternation, and print the ratios."""
    import torch

    from gatework.bench import timing
    from gatework.bench.frameworks import started
    from gatework.bench.shapes import choose

    timings = []
    chosen = choose([name for name in shapes.split(",") if name])
    with started(peers, torch.get_num_threads()) as others:
        for timing_of_shape in timing.each(chosen, others, pairs=pairs):
            timings.append(timing_of_shape)
            print(timing_of_shape.line(), file=sys.stderr if as_json else sys.stdout, flush=True)
    if as_json:
        print(json.dumps(timing.as_json(timings), indent=2))
