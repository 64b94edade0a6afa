"""Writing the page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from gatework import __version__
from gatework._files import write_text
from gatework.inside.page.characters import characters_script
from gatework.inside.page.content import Content, content
from gatework.inside.page.javascript import cells_script
from gatework.inside.page.presets import presets
from gatework.pages.page import asset, content_policy, embedded, style_sheet, template
from gatework.training.run import Run

_SCRIPTS = (
    "unpack.js",
    "functions.js",
    "products.js",
    "norms.js",
    "pooling.js",
    "recurrent.js",
    "network.js",
    "attribution.js",
    "view.js",
    "colours.js",
    "heatmap.js",
    "arithmetic.js",
    "reading.js",
    "curves.js",
    "series.js",
    "predictions.js",
    "page.js",
)


def write_page(runs: Sequence[Run], out: str | os.PathLike[str], inputs: Any = None) -> Path:
    """Writes the page in which these runs' networks run, side by side on one shared input.

    Args:
        runs: Finished runs that read the same kind of input: texts, or series of one length of row.
        out: The file to write.
        inputs: What the page offers at first: a text or several, a series or several, or a Split with answers;
            examples of the runs' own data if None.

    Returns:
        The path of the page.

    Raises:
        RunError: A run is not finished or cannot run in a page, or the file cannot be written.
        UsageError: The runs do not read the same kind of input, or the inputs do not fit.
    """
    out = Path(out)
    held = content(runs)
    scripts = {
        "theme": Markup(asset("theme.js")),
        "characters": Markup(characters_script() if held.kind == "text" else ""),
        "cells": Markup(cells_script(held.cells)),
        "script": Markup("\n".join(_own(name) for name in _scripts(held.kind))),
    }
    data = {"kind": held.kind, "variables": held.variables, "runs": held.runs, "presets": presets(runs[0], inputs)}
    page = template(_own("inspect.html")).render(
        policy=content_policy(scripts),
        style=style_sheet() + Markup(_own("heatmap.css") + _own("inspect.css")),
        title=_title(held),
        kind=held.kind,
        runs=held.runs,
        data=embedded(data),
        weights=[Markup(text) for text in held.weights],
        vocabularies=[Markup(text) for text in held.vocabularies],
        version=__version__,
        **scripts,
    )
    write_text(out, page)
    return out


def _scripts(kind: str) -> tuple[str, ...]:
    return ("tokens.js", *_SCRIPTS) if kind == "text" else _SCRIPTS


def _title(held: Content) -> str:
    names = [run["name"] for run in held.runs]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    datasets = {run["dataset"] for run in held.runs if run["dataset"]}
    return f"Inside {listed}" + (f", trained on {datasets.pop()}" if len(datasets) == 1 else "")


def _own(name: str) -> str:
    return asset(name, "gatework.inside.page", "assets")
