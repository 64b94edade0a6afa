"""Writing the page."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from gatework import __version__
from gatework._files import write_text
from gatework.cells._derive import Derivation
from gatework.formatting import listed
from gatework.inside.page.characters import characters_script
from gatework.inside.page.content import Content, content
from gatework.inside.page.javascript import cells_script
from gatework.inside.page.live import LiveContent, has_own_part, live_content
from gatework.inside.page.presets import presets
from gatework.pages.page import asset, content_policy, embedded, style_sheet, template
from gatework.training.run import Run

_LAYERS = ("unpack.js", "functions.js", "products.js", "norms.js", "recurrent.js")
_SHOWN = ("colours.js", "heatmap.js", "curves.js")
_INSPECT = (
    *_LAYERS,
    *("pooling.js", "network.js", "attribution.js", "view.js"),
    *_SHOWN,
    *("arithmetic.js", "reading.js", "dragged.js", "series.js", "predictions.js", "page.js"),
)
_LIVE = (*_LAYERS, "pooling.js", *_SHOWN, "byte_pairs.js", "live.js", "dragged.js", "gates.js", "sound.js")


def write_page(runs: Sequence[Run], out: str | os.PathLike[str], inputs: Any = None) -> Path:
    """Writes the page in which these runs' networks run, side by side on one shared input.

    Args:
        runs: Finished runs that read the same kind of input: texts, or series of one length of row; or of one task that
            has a page of its own, as those that write and translate.
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
    is_live = bool(runs) and has_own_part(runs[0])
    frame = _live_frame(live_content(runs, inputs)) if is_live else _frame(content(runs), runs, inputs)
    scripts = {
        "theme": Markup(asset("theme.js")),
        "characters": Markup(frame.characters),
        "cells": Markup(cells_script(frame.cells)),
        "script": Markup(frame.script),
    }
    page = template(_own("frame.html")).render(
        policy=content_policy(scripts),
        style=style_sheet() + Markup(_own("heatmap.css") + _own("inspect.css") + frame.style),
        title=_title(frame.title, frame.runs),
        main=Markup(frame.main),
        precision=frame.precision,
        runs=frame.runs,
        data=embedded(frame.data),
        weights=[Markup(text) for text in frame.weights],
        lists=[Markup(text) for text in frame.lists],
        version=__version__,
        **scripts,
    )
    write_text(out, page)
    return out


@dataclass(frozen=True)
class _Frame:
    """What stands in the frame of every page: its texts, its scripts, what they read."""

    title: str
    main: str
    style: str
    script: str
    characters: str
    precision: str
    runs: list[dict[str, Any]]
    data: Mapping[str, Any]
    weights: list[str]
    lists: list[str]
    cells: dict[str, Derivation]


def _variable_names(run: Run, variables: int) -> tuple[str, ...]:
    """The columns of a long table that a step's values stood in; none of other series."""
    columns: Any = getattr(run.task, "columns", {})
    names = tuple(columns.get("values", ())) if isinstance(columns, Mapping) else ()
    return names if len(names) == variables else ()


def _frame(held: Content, runs: Sequence[Run], inputs: Any) -> _Frame:
    is_text = held.kind == "text"
    data = {
        "kind": held.kind,
        "variables": held.variables,
        "variable_names": _variable_names(runs[0], held.variables),
        "runs": held.runs,
        "presets": presets(runs[0], inputs),
    }
    return _Frame(
        title="Inside",
        main=template(_own("inspect.html")).render(kind=held.kind, runs=held.runs),
        style="",
        script="\n".join(_own(name) for name in (("tokens.js", *_INSPECT) if is_text else _INSPECT)),
        characters=characters_script() if is_text else "",
        precision="half precision",
        runs=held.runs,
        data=data,
        weights=held.weights,
        lists=held.vocabularies,
        cells=held.cells,
    )


def _live_frame(held: LiveContent) -> _Frame:
    return _Frame(
        title=held.part.title,
        main=template(held.part.template).render(runs=held.runs),
        style=held.part.style,
        script="\n".join([*(_own(name) for name in _LIVE), held.part.script]),
        characters="",
        precision=held.precision,
        runs=held.runs,
        data={"runs": held.runs, "examples": held.examples},
        weights=held.weights,
        lists=held.lists,
        cells=held.cells,
    )


def _title(beginning: str, runs: Sequence[Mapping[str, Any]]) -> str:
    names = [run["name"] for run in runs]
    datasets = {run["dataset"] for run in runs if run["dataset"]}
    return f"{beginning} {listed(names)}" + (f", trained on {datasets.pop()}" if len(datasets) == 1 else "")


def _own(name: str) -> str:
    return asset(name, "gatework.inside.page", "assets")
