"""The course: lessons that run on the library itself, with quizzes, checked exercises and a drawing of the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.course.alignment import AlignmentDrawing
    from gatework.course.checking import check
    from gatework.course.drawing import CellDrawing
    from gatework.course.experiments import figures
    from gatework.course.folder import workspace
    from gatework.course.plots import bars, heat, lines
    from gatework.course.quizzes import display_quiz

__all__ = ["AlignmentDrawing", "CellDrawing", "bars", "check", "display_quiz", "figures", "heat", "lines", "workspace"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "alignment": ("AlignmentDrawing",),
        "checking": ("check",),
        "drawing": ("CellDrawing",),
        "plots": ("bars", "heat", "lines"),
        "experiments": ("figures",),
        "quizzes": ("display_quiz",),
        "folder": ("workspace",),
    },
)
