"""The page of a run or a comparison: the opening, the task's sections, and what surrounds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatework.reports.details import Pairs
from gatework.reports.folders import Entry
from gatework.reports.highlights import Highlight
from gatework.reports.looks import Look
from gatework.reports.page import write_page
from gatework.reports.sections import TaskSections
from gatework.tasks import metric_title


@dataclass(frozen=True)
class Opening:
    """The head of a page.

    Attributes:
        title: What was trained on what.
        headline: What was found, in one line.
        rest: What must be said beside it.
        deck: The circumstances of the experiment in one line.
        highlights: Figures that a reader asks for first.
    """

    title: str
    headline: str
    rest: str
    deck: str
    highlights: Sequence[Highlight]


def models(looks: Mapping[str, Look], entries: Sequence[Entry]) -> dict[str, dict[str, Any]]:
    """How the page's script draws each entry, by its name."""
    return {entry.name: {**vars(looks[entry.name]), "network": not entry.is_baseline} for entry in entries}


def write_article(
    path: Path,
    template: str,
    opening: Opening,
    entries: Sequence[Entry],
    looks: Mapping[str, Look],
    metric: str,
    shown: TaskSections,
    details: Sequence[tuple[str, Pairs]],
    data: Mapping[str, Any],
    **context: Any,
) -> Path:
    """Writes the page of a run or a comparison.

    Args:
        path: Where the page goes.
        template: The template's name.
        opening: The head of the page.
        entries: The networks and baselines, best first.
        looks: How each is drawn.
        metric: The metric that decides.
        shown: What the task shows.
        details: The lists at the page's end.
        data: What the page's script draws.
        context: What the template shows beyond these.

    Raises:
        RunError: The file cannot be written.
    """
    drawn = models(looks, entries)
    return write_page(
        path,
        template,
        {"models": drawn, **data},
        shown.sections,
        title=opening.title,
        opening=opening,
        looks=looks,
        models=drawn,
        metric=metric_title(metric),
        missing=shown.missing,
        details=details,
        **context,
    )
