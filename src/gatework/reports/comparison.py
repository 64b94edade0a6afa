"""A comparison folder as one HTML page."""

from __future__ import annotations

import os
from pathlib import Path

from gatework.reports.article import Opening, write_article
from gatework.reports.damaged import refusing_damage
from gatework.reports.details import cost, deck, details, gatework_version
from gatework.reports.folders import read_comparison
from gatework.reports.highlights import highlights
from gatework.reports.inside import inside
from gatework.reports.learning import learning
from gatework.reports.looks import looks
from gatework.reports.sections import recipe_in_use, task_sections
from gatework.reports.table import table


@refusing_damage
def write_report(comparison_folder: str | os.PathLike[str], out: Path | None = None) -> Path:
    """Writes `report.html` into a comparison folder, from what that folder holds and nothing else.

    Args:
        comparison_folder: The folder that `gatework compare` wrote.
        out: Where the page goes; `report.html` in the folder if None.

    Returns:
        The path of the page.

    Raises:
        RunError: A file of the folder is missing or corrupt, or the page cannot be written.
    """
    folder = Path(comparison_folder)
    comparison = read_comparison(folder)
    about, metric = comparison.about, comparison.metric
    # First of all, as it makes the task's metrics known.
    shown = task_sections(comparison.task, comparison.entries, metric, comparison.test, comparison.state)
    look = looks(comparison.entries)
    curves = learning(comparison.networks, metric)
    seen = inside(folder, look)
    headline = str(about.get("headline") or "")
    opening = Opening(
        title=str(about.get("title") or f"Comparison on {about.get('dataset')}"),
        headline=headline or comparison.verdict,
        rest=comparison.verdict.removeprefix(headline).strip() if headline else "",
        deck=deck(about),
        highlights=highlights(comparison),
    )
    return write_article(
        out or folder / "report.html",
        "comparison.html",
        opening,
        comparison.entries,
        look,
        metric,
        shown,
        details({**about, "recipe": recipe_in_use(comparison.task, about.get("recipe") or {}, comparison.state)}),
        {"learning": curves, "inside": seen},
        comparison=comparison,
        about=about,
        table=table(comparison, look),
        curves=curves,
        inside=seen,
        cost=cost(comparison, look),
        command=about.get("command"),
        version=gatework_version(about.get("environment")),
    )
