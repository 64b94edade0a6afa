"""Regression of values from each series or text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.tasks.regress.model import RegressionNetwork

__all__ = ["RegressionNetwork"]

__getattr__, __dir__ = lazy(__name__, {"model": ("RegressionNetwork",)})
