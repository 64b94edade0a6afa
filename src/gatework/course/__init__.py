"""The course: lessons that run on the library itself, with quizzes, checked exercises and a drawing of the cell."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_SOURCES = {
    "CellDrawing": "drawing",
    "bars": "plots",
    "check": "checking",
    "display_quiz": "quizzes",
    "heat": "plots",
    "lines": "plots",
    "workspace": "workspace",
}

__all__ = [*sorted(_SOURCES)]


def __getattr__(name: str) -> Any:
    if name not in _SOURCES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_SOURCES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
