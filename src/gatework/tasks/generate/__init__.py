"""Language models of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.tasks.generate.comparing import Beside, ComparedEvaluation, copies
    from gatework.tasks.generate.drawing import draw_of, writer_of
    from gatework.tasks.generate.dynamic import DYNAMIC, dynamic_nats
    from gatework.tasks.generate.exporting import exportable
    from gatework.tasks.generate.loss import stream_loss
    from gatework.tasks.generate.model import LanguageModel
    from gatework.tasks.generate.scoring import token_nats
    from gatework.tasks.generate.sizes import about, outlook, sized

__all__ = [
    "DYNAMIC",
    "Beside",
    "ComparedEvaluation",
    "LanguageModel",
    "about",
    "copies",
    "draw_of",
    "dynamic_nats",
    "exportable",
    "outlook",
    "sized",
    "stream_loss",
    "token_nats",
    "writer_of",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "comparing": ("Beside", "ComparedEvaluation", "copies"),
        "drawing": ("draw_of", "writer_of"),
        "dynamic": ("DYNAMIC", "dynamic_nats"),
        "exporting": ("exportable",),
        "loss": ("stream_loss",),
        "model": ("LanguageModel",),
        "scoring": ("token_nats",),
        "sizes": ("about", "outlook", "sized"),
    },
)
