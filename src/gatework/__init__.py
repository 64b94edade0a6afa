"""gatework: fast, transparent LSTMs for Python.

What is here is imported when it is first used, so that `import gatework` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Where each public name comes from; a module, or an attribute of one after a colon.
_SOURCES = {
    "Run": "gatework.training:Run",
    "accelerate": "gatework.nn:accelerate",
    "cell": "gatework.cells:cell",
    "cells": "gatework.cells",
    "compare": "gatework.evaluation:compare",
    "data": "gatework.data",
    "errors": "gatework.errors",
    "inside": "gatework.inside",
    "nn": "gatework.nn",
    "report": "gatework.reports:report",
    "resume": "gatework.training:resume",
    "train": "gatework.training:train",
}

__all__ = ["__version__", *sorted(_SOURCES)]


def __getattr__(name: str) -> Any:
    if name not in _SOURCES:
        raise AttributeError(f"module 'gatework' has no attribute '{name}'")
    module, _, attribute = _SOURCES[name].partition(":")
    value = import_module(module)
    return getattr(value, attribute) if attribute else value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
