"""A comparison folder as one HTML page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatework.reports.classification import Classification, classification
from gatework.reports.facts import facts
from gatework.reports.folders import Comparison, read_comparison
from gatework.reports.forecasts import forecasts
from gatework.reports.inside import inside
from gatework.reports.learning import learning
from gatework.reports.page import write_page
from gatework.reports.palette import Look, looks
from gatework.reports.particulars import cost, deck, particulars
from gatework.reports.regression import regression
from gatework.reports.table import table
from gatework.tasks import metric_title


def write_report(comparison_folder: str | os.PathLike[str]) -> Path:
    """Writes `report.html` into a comparison folder, from what that folder holds and nothing else.

    Args:
        comparison_folder: The folder that `gatework compare` wrote.

    Returns:
        The path of the page.

    Raises:
        RunError: A file of the folder is missing or corrupt, or the page cannot be written.
    """
    folder = Path(comparison_folder)
    comparison = read_comparison(folder)
    look = looks(comparison.entries)
    values, classes = predictions(comparison)
    ahead = forecasts(comparison.entries, comparison.metric, comparison.test) if comparison.task == "forecast" else None
    curves = learning(comparison.networks)
    drawn = models(look, comparison)
    seen = inside(folder, look)
    return write_page(
        folder / "report.html",
        "comparison.html",
        data={
            "models": drawn,
            "learning": curves,
            "values": values,
            "forecasts": ahead,
            "roc": classes.roc if classes else None,
            "training": None,
            "inside": seen,
        },
        inside=seen,
        forecasts=ahead,
        title=str(comparison.about.get("title") or f"Comparison on {comparison.about.get('dataset')}"),
        comparison=comparison,
        about=comparison.about,
        looks=look,
        table=table(comparison, look),
        facts=facts(comparison),
        curves=curves,
        class_names=comparison.classes,
        values=values,
        classes=classes,
        metric=metric_title(comparison.metric),
        data_models=drawn,
        deck=deck(comparison.about),
        cost=cost(comparison, look),
        command=comparison.about.get("command"),
        particulars=particulars(comparison.about),
        version=(comparison.about.get("environment") or {}).get("gatework"),
    )


def models(look: Mapping[str, Look], comparison: Comparison) -> dict[str, dict[str, Any]]:
    """How the page's script draws each model, by its name."""
    return {
        entry.name: {
            "colour": look[entry.name].colour,
            "marker": look[entry.name].marker,
            "dash": look[entry.name].dash,
            "network": entry.is_network,
        }
        for entry in comparison.entries
    }


def predictions(comparison: Comparison) -> tuple[dict[str, Any] | None, Classification | None]:
    """The section on predictions: of values, or of classes; forecasts have one of their own.

    Raises:
        RunError: Predictions and targets do not fit each other.
    """
    if comparison.task == "regress":
        return regression(comparison.entries, comparison.metric, comparison.test), None
    if comparison.task in ("forecast", "detect"):
        return None, None
    return None, classification(comparison.entries, comparison.metric, comparison.test, comparison.classes)
