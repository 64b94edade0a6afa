"""What turns a network's output into words: with the language of the training texts, or one of given phrases."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gatework.data._content import as_utf8, file_content, printable
from gatework.decoding import CtcReader, LanguageWeights, SpokenLanguage, text_log_probability
from gatework.errors import DataError, UsageError
from gatework.tasks.transcribe.letters import Alphabet, plain
from gatework.tasks.transcribe.transcript import Word, words_of


@dataclass(frozen=True)
class AskedTranscript:
    """What is asked of a transcript beyond the words.

    Attributes:
        phrases: The only texts that may be said, if any are given.
        boost: Phrases that are likelier than the training texts let one think.
        words: Words that may be said as well.
        is_closed: Whether no word may be written that is neither in the training texts nor among these.
        beam: Prefixes kept at each step; 0 for the usual number.
    """

    phrases: tuple[str, ...] = ()
    boost: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    is_closed: bool = False
    beam: int = 0

    @property
    def is_language_changed(self) -> bool:
        """Whether the language is another than that of the training texts alone."""
        return bool(self.words or self.boost or self.is_closed or self.beam)


def read_phrases(path: str | os.PathLike[str], case: str) -> tuple[str, ...]:
    """The phrases of a text file, one a line, as plain texts.

    Raises:
        DataError: The file is missing, or holds none.
    """
    file = Path(path)
    content, _, _ = as_utf8(file_content(file), file)
    phrases = tuple(dict.fromkeys(filter(None, (plain(line, case) for line in content.decode().splitlines()))))
    if not phrases:
        raise DataError(f"{printable(str(file))} holds no phrase; one a line was expected")
    return phrases


class Transcriber:
    """Reads a network's output.

    Args:
        alphabet: The units that it writes.
        language: That of the training texts.
        weights: How much it counts.
        asked: What is asked beyond the words.
        seconds: The length of a step.

    Raises:
        UsageError: A phrase has a letter that the network does not know.
    """

    def __init__(
        self,
        alphabet: Alphabet,
        language: SpokenLanguage,
        weights: LanguageWeights,
        asked: AskedTranscript,
        seconds: float,
    ) -> None:
        self.alphabet, self.seconds = alphabet, seconds
        self.phrases = [(phrase, self._indices(phrase)) for phrase in asked.phrases]
        options = {"beam": asked.beam} if asked.beam else {}
        is_closed = asked.is_closed and not alphabet.is_words
        self.reader = CtcReader(alphabet.units, language, weights, boosted=asked.boost, is_closed=is_closed, **options)

    def words(self, log_probs: np.ndarray) -> list[Word]:
        """The words of a recording.

        Args:
            log_probs: Shape (steps, units + 1).
        """
        if self.phrases:
            return self._phrase(log_probs)
        return words_of(self.reader.read(log_probs), self.alphabet, self.seconds)

    def _indices(self, phrase: str) -> np.ndarray:
        indices = self.alphabet.indices(phrase)
        if self.alphabet.text(indices) != phrase:
            units = self.alphabet.between.join(self.alphabet.units).strip()
            raise UsageError(f'the phrase "{phrase}" cannot be written with what the run has learnt: {units}')
        return indices

    def _phrase(self, log_probs: np.ndarray) -> list[Word]:
        """The phrase that is likeliest, over all ways to say each; nothing where silence is likelier."""
        candidates = [("", np.zeros(0, np.int64)), *self.phrases]
        scores = np.array([text_log_probability(log_probs, indices) for _, indices in candidates])
        if not np.isfinite(scores).any():
            return []
        best = int(scores.argmax())
        share = float(1 / np.exp(scores - scores[best]).sum())
        count = len(candidates[best][0].split())
        heard = np.flatnonzero(log_probs.argmax(1)) if count else np.zeros(1, int)
        start, end = (heard[0], heard[-1] + 1) if len(heard) else (0, len(log_probs))
        edges = np.linspace(start, end, count + 1) * self.seconds
        return [
            Word(word, round(float(edges[k]), 3), round(float(edges[k + 1]), 3), round(share, 4))
            for k, word in enumerate(candidates[best][0].split())
        ]


def texts_of(transcripts: Sequence[Sequence[Word]]) -> list[str]:
    """The text of each transcript."""
    return [" ".join(word.word for word in words) for words in transcripts]
