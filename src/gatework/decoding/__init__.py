"""What turns scores into answers: language models by counting, sampling, beams and alignments, in native code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.decoding.arpa import read_arpa, write_arpa
    from gatework.decoding.ctc import (
        CtcReader,
        CtcSearch,
        LanguageWeights,
        SpokenLanguage,
        WrittenLetter,
        letter_log_probabilities,
    )
    from gatework.decoding.ctc_paths import HeardLetter, heard_letters, text_log_probabilities, text_log_probability
    from gatework.decoding.letter_model import LetterModel
    from gatework.decoding.loop import Writing
    from gatework.decoding.ngrams import NGramModel
    from gatework.decoding.sampling import Sampling
    from gatework.decoding.writer import Writer

__all__ = [
    "CtcReader",
    "CtcSearch",
    "HeardLetter",
    "LanguageWeights",
    "LetterModel",
    "NGramModel",
    "Sampling",
    "SpokenLanguage",
    "Writer",
    "Writing",
    "WrittenLetter",
    "heard_letters",
    "letter_log_probabilities",
    "read_arpa",
    "text_log_probabilities",
    "text_log_probability",
    "write_arpa",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "arpa": ("read_arpa", "write_arpa"),
        "ctc": (
            "CtcReader",
            "CtcSearch",
            "LanguageWeights",
            "SpokenLanguage",
            "WrittenLetter",
            "letter_log_probabilities",
        ),
        "ctc_paths": ("HeardLetter", "heard_letters", "text_log_probabilities", "text_log_probability"),
        "letter_model": ("LetterModel",),
        "loop": ("Writing",),
        "ngrams": ("NGramModel",),
        "sampling": ("Sampling",),
        "writer": ("Writer",),
    },
)
