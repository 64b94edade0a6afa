"""`gatework record`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def record(
    prompts: Annotated[Path, typer.Argument(metavar="PROMPTS", help="A text file with sentences, one a line.")],
    out: Annotated[Path, typer.Option(help="The folder for the recordings and their manifest.")],
) -> None:
    """Record yourself reading sentences, one by one, into a folder that gatework train reads.

    A sentence can be taken again; what is too short, too soft or clipped is said. Called again, it goes on.
    """
    from gatework.data.microphone import Microphone
    from gatework.data.prompts import read_prompts, record_prompts

    count = record_prompts(read_prompts(prompts), out, Microphone(), input, print)
    print(f"\n{count:,} sentences in {out}; gatework check {out} looks at them")
