"""Writing the page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from gatework import __version__
from gatework._files import write_text
from gatework.cells import CellSpec, get
from gatework.cells._derive import derive
from gatework.errors import UsageError
from gatework.inside._equations import equations, logistic
from gatework.inside.page.javascript import cells_script, titles
from gatework.pages.page import asset, content_policy, embedded, style_sheet, template
from gatework.pages.palette import cell_looks

CELLS = ("rnn", "gru", "lstm")
"""The cells that the page has where none are named."""
_NAMES = {"rnn": "RNN", "rnn_relu": "RNN, rectifier", "gru": "GRU", "lstm": "LSTM", "indrnn": "IndRNN"}
_NAMES |= {"peephole": "peephole LSTM", "coupled": "coupled LSTM", "minimal": "minLSTM", "slstm": "sLSTM"}
# What the page itself needs of the worker's parts is the list of tasks, for its form and its words.
_SHARED = ("matrices.js", "judging.js", "corpus.js", "rhyme.js", "tasks.js")
_WORKER = ("random.js", "layer.js", "losses.js", "optimisers.js", "learner.js", "probe.js", "race.js", "worker.js")
_PAGE = ("settings.js", "charts.js", "answers.js", "findings.js", "knobs.js", "playground.js")


def write_playground(out: str | os.PathLike[str], cells: Sequence[str] = CELLS) -> Path:
    """Writes the page in which networks of these cells learn, side by side on the same data.

    Args:
        out: The file to write.
        cells: Names of cells, or `FILE.py:NAME` for a person's own.

    Returns:
        The path of the page.

    Raises:
        UsageError: There is no such cell, or none is named.
        RunError: The file cannot be written.
    """
    specs = {spec.name: spec for spec in map(get, cells)}
    if not specs:
        raise UsageError("the playground needs one cell at least: --cells rnn,gru,lstm")
    scripts = {"theme": Markup(asset("theme.js")), "script": Markup(page_script())}
    text = template(_asset("playground.html")).render(
        # The worker is a text of this page: no other can be started, and it cannot fetch anything either.
        policy=f"{content_policy(scripts)}; worker-src blob:",
        title="Playground: watch a recurrent network learn",
        style=style_sheet() + Markup(_inspected("heatmap.css") + _asset("playground.css")),
        data=embedded({"cells": _facts(specs)}),
        worker=Markup(worker_script(specs)),
        version=__version__,
        **scripts,
    )
    path = Path(out)
    write_text(path, text)
    return path


def worker_script(specs: dict[str, CellSpec]) -> str:
    """The script that trains: the cells, printed from their equations, and what runs them."""
    cells = cells_script({name: derive(spec) for name, spec in specs.items()})
    parts = [_inspected("functions.js"), cells, *(_asset(name) for name in (*_SHARED, *_WORKER))]
    return "\n".join(parts)


def page_script() -> str:
    """The script of the page itself."""
    parts = [_inspected("colours.js"), _inspected("heatmap.js"), *(_asset(name) for name in (*_SHARED, *_PAGE))]
    return "\n".join(parts)


def _facts(specs: dict[str, CellSpec]) -> dict[str, dict[str, Any]]:
    """What the page must know of each cell to name and to draw it."""
    looks = cell_looks(specs)
    return {
        name: {
            "name": _NAMES.get(name, name),
            "title": spec.title,
            "colour": looks[name][0],
            "hasForgetGate": spec.forget_gate is not None,
            "names": list(spec.names),
            "titles": titles(spec, spec.names),
            "logistic": list(logistic(equations(spec))),
        }
        for name, spec in specs.items()
    }


def _inspected(name: str) -> str:
    """A part that the live page of a trained network has too."""
    return asset(name, "gatework.inside.page", "assets")


def _asset(name: str) -> str:
    return asset(name, "gatework.inside.playground", "assets")
