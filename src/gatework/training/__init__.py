"""From a recipe to a run folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.training import runtime
    from gatework.training.each_alone import EachAlone
    from gatework.training.fitting import resume, train
    from gatework.training.predictor import Predictor
    from gatework.training.progress import Progress
    from gatework.training.quantizing import quantized
    from gatework.training.run import Run

__all__ = ["EachAlone", "Predictor", "Progress", "Run", "quantized", "resume", "runtime", "train"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "each_alone": ("EachAlone",),
        "fitting": ("resume", "train"),
        "predictor": ("Predictor",),
        "progress": ("Progress",),
        "quantizing": ("quantized",),
        "run": ("Run",),
    },
    modules=("runtime",),
)
