"""`gatework serve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatework.cli import _options as options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatework.training import Run


def serve(
    runs: Annotated[list[str], typer.Argument(metavar="RUN", help="Run folders, each as RUN or NAME=RUN.")],
    host: Annotated[str, typer.Option(help="The address to listen at; another than this machine's needs keys.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 for any that is free.")] = 8000,
    api_key_file: Annotated[
        Path | None, typer.Option(help="A text file with one key a line; who asks must have one of them.")
    ] = None,
    state_key_file: Annotated[
        Path | None,
        typer.Option(
            help="A text file with the key that signs states which clients hold; several servers may share it."
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads that compute a batch.")] = 1,
    weights: options.Weights = "float32",
    max_body: Annotated[float, typer.Option(min=0.001, help="Megabytes of a body, or of one line of a stream.")] = 8.0,
    max_examples: Annotated[int, typer.Option(min=1, help="Examples of one request.")] = 1024,
    max_length: Annotated[
        int, typer.Option(min=1, help="Characters of a text, steps of a series, rows of a table.")
    ] = 100_000,
    max_batch: Annotated[int, typer.Option(min=1, help="Examples of waiting requests computed at once.")] = 32,
    max_queue: Annotated[int, typer.Option(min=1, help="Requests that may wait.")] = 1024,
    max_sessions: Annotated[int, typer.Option(min=1, help="Sequences under way.")] = 10_000,
    session_idle: Annotated[
        float, typer.Option(min=0.001, help="Seconds after which an idle session is forgotten.")
    ] = 600.0,
    state_age: Annotated[
        float, typer.Option(min=0.001, help="Seconds after which a state that a client holds is refused.")
    ] = 86_400.0,
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds within which a request is answered.")] = 30.0,
) -> None:
    """Answer over HTTP: a page to try it, JSON, the Open Inference Protocol, streams with carried state."""
    from gatework.serve._extra import check_packages

    check_packages()
    from gatework import serve as serving

    limits = serving.Limits(
        body=int(max_body * 2**20),
        examples=max_examples,
        length=max_length,
        batch=max_batch,
        queue=max_queue,
        sessions=max_sessions,
        idle=session_idle,
        timeout=timeout,
        state_age=state_age,
    )
    serving.serve(
        _opened(runs),
        host=host,
        port=port,
        api_key_file=api_key_file,
        state_key_file=state_key_file,
        limits=limits,
        threads=threads,
        weights=weights,
        tell=lambda text: print(text, flush=True),
    )


def _opened(runs: Sequence[str]) -> dict[str, Run]:
    """The runs by the names under which they are asked.

    Raises:
        UsageError: Two have the same name.
    """
    from gatework.errors import UsageError
    from gatework.training import Run

    opened: dict[str, Run] = {}
    for given in runs:
        # A folder may have the mark in its own name.
        name, _, folder = ("", "", given) if Path(given).exists() else given.partition("=")
        path = Path(folder or given)
        name = name or path.resolve().name
        if name in opened:
            raise UsageError(f'two runs are named "{name}"; name one as NAME=RUN')
        opened[name] = Run.open(path)
    return opened
