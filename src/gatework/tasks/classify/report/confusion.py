"""Which classes are taken for which, and how well each is found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gatework.tasks._section import ReportSection, section_file
from gatework.tasks.classify.metrics import class_figures, confusion_counts
from gatework.tasks.classify.report.chances import Chances

_MOST_CLASSES = 30


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix: counts, and each as a share of its row (the actual class)."""

    model: str
    counts: tuple[tuple[int, ...], ...]
    shares: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class ClassRow:
    """One class: how many test examples it has, and the precision, recall and F1 of each model that is shown."""

    name: str
    examples: int
    figures: tuple[tuple[float, float, float], ...]


def confusion(chances: Chances) -> ReportSection | None:
    """Matrices of all models, and a row per class; None where there are too many classes to read."""
    count = len(chances.classes)
    if count > _MOST_CLASSES:
        return None
    counts = {name: confusion_counts(chances.actual, chances.predicted(name), count) for name in chances.by_name}
    figures = [class_figures(counts[name]) for name in chances.networks]
    totals = np.bincount(chances.actual, minlength=count).tolist()
    rows = [
        ClassRow(name, totals[k], tuple((float(p[k]), float(r[k]), float(f[k])) for p, r, f in figures))
        for k, name in enumerate(chances.classes)
    ]
    return ReportSection(
        name="confusion",
        title="Class by class",
        template=section_file(__package__, "confusion.html"),
        context={
            "classes": chances.classes,
            "confusions": [_shares(name, matrix) for name, matrix in counts.items()],
            "networks": chances.networks,
            "rows": rows,
        },
    )


def _shares(name: str, counts: np.ndarray) -> Confusion:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return Confusion(name, tuple(map(tuple, counts.tolist())), tuple(map(tuple, shares.round(3).tolist())))
