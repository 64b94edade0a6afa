"""Classification of texts or series into classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.tasks.classify.model import Classifier
    from gatework.tasks.classify.pretraining import before, take_over

__all__ = ["Classifier", "before", "take_over"]

__getattr__, __dir__ = lazy(__name__, {"model": ("Classifier",), "pretraining": ("before", "take_over")})
