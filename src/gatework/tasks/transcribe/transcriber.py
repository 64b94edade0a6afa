"""What turns a network's output into words: with the language of the training texts, or one of given phrases."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gatework.data._content import as_utf8, file_content, lines_of, printable
from gatework.data.features import HOP
from gatework.decoding import (
    CtcReader,
    LetterModel,
    SpokenLanguage,
    WrittenLetter,
    heard_letters,
)
from gatework.errors import DataError, UsageError
from gatework.tasks._voice import Loudness, loudness_of
from gatework.tasks.transcribe.letters import Alphabet, has_digit, plain
from gatework.tasks.transcribe.phrases import Phrases
from gatework.tasks.transcribe.transcript import LONGEST, UNSURE, Word, by_words, text_of, written
from gatework.tasks.transcribe.tuning import Chosen

_LM_WEIGHT = 0.5
_MOST_COUNTED = 5_000_000


@dataclass(frozen=True)
class AskedTranscript:
    """What is asked of a transcript beyond the words.

    Attributes:
        phrases: The only texts that may be said, if any are given.
        boost: Phrases that are likelier than the training texts let one think.
        words: Words that may be said as well.
        is_closed: Whether no word may be written that is neither in the training texts nor among these.
        beam: Prefixes kept at each step; as many as suit the network if None.
        is_marking: Whether a word that is likelier wrong than right is not written but marked.
        lines: Texts that are counted as the training texts are.
        lm: The folder of a recurrent language model in the place of the run's own.
        lm_weight: How much that one, or the run's own, counts; as much as was chosen if None.
    """

    phrases: tuple[str, ...] = ()
    boost: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    is_closed: bool = False
    beam: int | None = None
    is_marking: bool = False
    lines: tuple[str, ...] = ()
    lm: str | None = None
    lm_weight: float | None = None


def read_phrases(path: str | os.PathLike[str], case: str) -> tuple[str, ...]:
    """The phrases of a text file, one a line, as plain texts.

    Raises:
        DataError: The file is missing, or holds none.
    """
    file = Path(path)
    content, _, _ = as_utf8(file_content(file), file)
    phrases = tuple(dict.fromkeys(filter(None, (plain(line, case) for line in lines_of(content.decode())))))
    if not phrases:
        raise DataError(f"{printable(str(file))} holds no phrase; one a line was expected")
    return phrases


def read_lines(path: str, case: str) -> tuple[str, ...]:
    """The lines of a text file to be counted, as plain texts, without those that have digits.

    Raises:
        DataError: The file is missing, holds none, or is too long to be counted anew by every command.
    """
    lines = tuple(line for line in read_phrases(path, case) if not has_digit(line))
    if (letters := sum(map(len, lines))) > _MOST_COUNTED:
        raise DataError(
            f"{printable(path)} has {letters:,} letters, and at most {_MOST_COUNTED:,} are counted; let gatework train "
            "generate learn it, and name that run with --lm"
        )
    return lines


class Transcriber:
    """Reads a network's output.

    Args:
        alphabet: The units that it writes.
        language: That of the training texts.
        chosen: What was chosen on the validation part.
        asked: What is asked beyond the words.
        stack: Frames of a step.
        beam: Prefixes that the search keeps at each step.
        recurrent: A recurrent language model of these letters.

    Raises:
        UsageError: A phrase has a letter that the network does not know.
    """

    def __init__(
        self,
        alphabet: Alphabet,
        language: SpokenLanguage,
        chosen: Chosen,
        asked: AskedTranscript,
        stack: int,
        beam: int,
        recurrent: LetterModel | None = None,
    ) -> None:
        self.alphabet, self.chosen, self.asked, self.stack = alphabet, chosen, asked, stack
        self.seconds = HOP * stack
        # Nothing may be said as well.
        each = ["", *asked.phrases] if asked.phrases else []
        self.phrases = Phrases([self._written(phrase) for phrase in each], language) if each else None
        self._known = set(language.lexicon)
        is_closed = asked.is_closed and not alphabet.is_words
        weights, weight = chosen.closed if is_closed else chosen.language, asked.lm_weight
        if weight is None and asked.lm is not None:
            weight = weights.recurrent or _LM_WEIGHT
        if weight is not None:
            weights = replace(weights, recurrent=weight)
        self.reader = CtcReader(
            alphabet.units, language, weights, boosted=asked.boost, is_closed=is_closed, beam=beam, recurrent=recurrent
        )

    def words(self, log_probs: np.ndarray, frames: np.ndarray) -> list[Word]:
        """The words of a recording.

        Args:
            log_probs: Shape (steps, units + 1).
            frames: Its features, shape (frames, bands).
        """
        if self.phrases:
            return self._phrase(log_probs, self.phrases)
        voice = Loudness(self.chosen.least_movement)
        voice.hear(loudness_of(frames, self.stack))
        return self.words_of(self.reader.read(log_probs), voice)

    def words_of(self, letters: Sequence[WrittenLetter], voice: Loudness) -> list[Word]:
        """The words that letters write where somebody speaks, with how sure each is."""
        return [self._word(each) for each in self._heard(letters, voice)]

    def text_of(self, letters: Sequence[WrittenLetter], voice: Loudness) -> str:
        """The same as a text alone, for which nothing else of the words is made where nothing else is asked."""
        if self.asked.is_marking:
            return text_of(self.words_of(letters, voice))
        return " ".join([written(each, self.alphabet) for each in self._heard(letters, voice)])

    def _heard(self, letters: Sequence[WrittenLetter], voice: Loudness) -> list[list[WrittenLetter]]:
        """The letters of each word that is said where somebody speaks."""
        words = by_words(letters, self.alphabet, LONGEST)
        return [each for each in words if voice.is_heard(each[0].step, each[-1].step)]

    def _word(self, letters: Sequence[WrittenLetter]) -> Word:
        text = written(letters, self.alphabet)
        sure = self.chosen.confidence.of([one.log_probability for one in letters], text in self._known)
        return self._marked(text, letters[0].step, letters[-1].step, sure)

    def _marked(self, text: str, first: int, last: int, sure: float) -> Word:
        is_unsure = self.asked.is_marking and sure < self.chosen.confidence.least_sure
        start, end = first * self.seconds, (last + 1) * self.seconds
        return Word(UNSURE if is_unsure else text, round(start, 3), round(end, 3), round(sure, 4))

    def _written(self, phrase: str) -> np.ndarray:
        indices = self.alphabet.indices(phrase)
        if self.alphabet.text(indices) != phrase:
            units = self.alphabet.between.join(self.alphabet.units).strip()
            raise UsageError(f'the phrase "{phrase}" cannot be written with what the run has learnt: {units}')
        return indices

    def _phrase(self, log_probs: np.ndarray, phrases: Phrases) -> list[Word]:
        """The phrase that is likeliest, over all ways to say each; nothing where silence is likelier."""
        scores = phrases.scores(log_probs, self.chosen.phrases)
        best = int(scores.argmax())
        if not np.isfinite(scores[best]):
            return []
        share = float(1 / np.exp(scores - scores[best]).sum())
        words = by_words(heard_letters(log_probs, phrases.letters[best]), self.alphabet)
        return [self._marked(written(each, self.alphabet), each[0].first, each[-1].last, share) for each in words]


def texts_of(transcripts: Sequence[Sequence[Word]]) -> list[str]:
    """The text of each transcript."""
    return [" ".join(word.word for word in words) for words in transcripts]
