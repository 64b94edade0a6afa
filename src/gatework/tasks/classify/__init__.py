"""Classification of texts or series into classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.tasks.classify.model import Classifier

__all__ = ["Classifier"]

__getattr__, __dir__ = lazy(__name__, {"model": ("Classifier",)})
