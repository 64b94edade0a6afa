"""Classification of texts, series or sounds into classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.tasks.classify.augmented import AugmentedExamples
    from gatework.tasks.classify.beside import candidates
    from gatework.tasks.classify.live import live_sounds
    from gatework.tasks.classify.losses import NO_CLASS, class_loss, training_loss
    from gatework.tasks.classify.model import Classifier
    from gatework.tasks.classify.nearest import neighbours_of
    from gatework.tasks.classify.pretraining import before, take_over
    from gatework.tasks.classify.self_training import first_network, with_answers
    from gatework.tasks.classify.sound_stream import calibrate_spotting, keyword_stream, misheard
    from gatework.tasks.classify.tract import over_tracts

__all__ = [
    "NO_CLASS",
    "AugmentedExamples",
    "Classifier",
    "before",
    "calibrate_spotting",
    "candidates",
    "class_loss",
    "first_network",
    "keyword_stream",
    "live_sounds",
    "misheard",
    "neighbours_of",
    "over_tracts",
    "take_over",
    "training_loss",
    "with_answers",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "augmented": ("AugmentedExamples",),
        "beside": ("candidates",),
        "live": ("live_sounds",),
        "losses": ("NO_CLASS", "class_loss", "training_loss"),
        "model": ("Classifier",),
        "nearest": ("neighbours_of",),
        "pretraining": ("before", "take_over"),
        "self_training": ("first_network", "with_answers"),
        "sound_stream": ("calibrate_spotting", "keyword_stream", "misheard"),
        "tract": ("over_tracts",),
    },
)
