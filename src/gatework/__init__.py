"""gatework: fast, transparent LSTMs for Python.

What is here is imported when it is first used, so that `import gatework` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gatework import cells, data, errors, export, inside, nn, recipe, tasks
    from gatework._trained import ShownRun as Run
    from gatework._typed import compare, resume, train, tune
    from gatework.nn import accelerate, cell, quantize
    from gatework.reports import report

__version__ = "0.2.0"

# Where each public name comes from; a module, or an attribute of one after a colon.
_SOURCES = {
    "Run": "gatework._trained:ShownRun",
    "accelerate": "gatework.nn:accelerate",
    "cell": "gatework.nn:cell",
    "cells": "gatework.cells",
    "compare": "gatework._compared:compare",
    "data": "gatework.data",
    "errors": "gatework.errors",
    "export": "gatework.export",
    "inside": "gatework.inside",
    "nn": "gatework.nn",
    "quantize": "gatework.nn:quantize",
    "recipe": "gatework.recipe",
    "report": "gatework.reports:report",
    "resume": "gatework._trained:resume",
    "tasks": "gatework.tasks",
    "train": "gatework._trained:train",
    "tune": "gatework._tuned:tune",
}

__all__ = [
    "Run",
    "__version__",
    "accelerate",
    "cell",
    "cells",
    "compare",
    "data",
    "errors",
    "export",
    "inside",
    "nn",
    "quantize",
    "recipe",
    "report",
    "resume",
    "tasks",
    "train",
    "tune",
]

if not TYPE_CHECKING:  # a type checker would take every name for Any

    def __getattr__(name: str) -> Any:
        if name not in _SOURCES:
            raise AttributeError(f"module 'gatework' has no attribute '{name}'")
        module, _, attribute = _SOURCES[name].partition(":")
        value = import_module(module)
        return getattr(value, attribute) if attribute else value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
