"""When each word of a known text was said: the likeliest of all ways in which a network can write it (Viterbi)."""

from __future__ import annotations

import numpy as np

from gatework.decoding import heard_letters
from gatework.tasks.transcribe.letters import Alphabet, steps_needed
from gatework.tasks.transcribe.transcript import Word, by_words, written


def aligned_words(log_probs: np.ndarray, text: str, alphabet: Alphabet, seconds: float) -> list[Word] | None:
    """The words of a text with their times, and as confidence the (geometric) mean probability of their letters.

    Args:
        log_probs: What the network says, shape (steps, units + 1).
        text: What was said.
        alphabet: The units; those of the text that it does not have are left out.
        seconds: The length of a step.

    Returns:
        None where there are fewer steps than the text needs.
    """
    indices = alphabet.indices(text)
    if steps_needed(indices) > len(log_probs):
        return None
    words = by_words(heard_letters(log_probs, indices), alphabet)
    return [
        Word(
            written(each, alphabet),
            round(each[0].first * seconds, 3),
            round((each[-1].last + 1) * seconds, 3),
            round(float(np.exp(np.mean([one.log_probability for one in each]))), 4),
        )
        for each in words
    ]
