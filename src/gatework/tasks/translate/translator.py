"""Sentences to translations: cut where they are long, searched together, and put together again line by line."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gatework.data.subwords import BEGIN, END, Subwords
from gatework.decoding.beam import Hypothesis, beam_search
from gatework.decoding.searching import AttentionSearch, EnsembleSearch, Once
from gatework.tasks.translate.kept import Keeping, Masked, filled, masked
from gatework.tasks.translate.model import TranslationModel
from gatework.tasks.translate.shortlist import Shortlist

# Beginnings that are searched at once.
_MOST_ROWS = 320
_LONGER, _MORE = 1.5, 10
_SENTENCE_ENDS = re.compile(r"(?<=[.!?…。！？;:])\s+|(?<=[。！？])")


@dataclass(frozen=True)
class Translation:
    """A translation of a line.

    Attributes:
        text: The translation.
        confidence: The geometric mean of its pieces' probabilities, between 0 and 1.
        score: What translations of a line are ordered by, summed over its sentences.
    """

    text: str
    confidence: float
    score: float


@dataclass(frozen=True)
class Search:
    """How translations are searched.

    Attributes:
        beam: Beginnings that are kept for each sentence.
        length_penalty: See `gatework.decoding.beam`.
        coverage: The coverage penalty; see there.
        shortlist: For each piece of a sentence how many likely pieces of translations are weighed; all if 0.
    """

    beam: int
    length_penalty: float = 1.0
    coverage: float = 0.0
    shortlist: int = 0


class Translator:
    """Translates lines with trained networks.

    Args:
        models: The networks; of several the probabilities are averaged.
        subwords: Its pieces.
        longest: Pieces of the longest source that it learnt from; a longer line is cut into sentences.
        keeping: What a translation keeps as it is.
        shortlist: Gives what knows likely pieces, where a search wants them.
    """

    def __init__(
        self,
        models: Sequence[TranslationModel],
        subwords: Subwords,
        longest: int,
        keeping: Keeping,
        shortlist: Callable[[], Shortlist],
    ) -> None:
        self.models, self.subwords, self.longest = [model.eval() for model in models], subwords, max(longest, 8)
        self.keeping, self._shortlist = keeping, shortlist

    def __call__(self, lines: Sequence[str], search: Search) -> list[list[Translation]]:
        """Translates lines.

        Args:
            lines: One or several sentences each; an empty line has an empty translation.
            search: How they are searched.

        Returns:
            The translations of each line, the best first.
        """
        cut = self._cut(lines)
        different = list(dict.fromkeys(sentence for sentences in cut for sentence in sentences))
        searched = self._searched(different, search)
        by_sentence = dict(zip(different, searched, strict=True))
        texts = {sentence: self._texts(sentence, by_sentence[sentence]) for sentence in different}
        return [self._together([(by_sentence[s], texts[s]) for s in sentences]) for sentences in cut]

    def _masked(self, sentence: str) -> Masked:
        """A sentence as the network reads it."""
        return self.keeping.masked(sentence) if self.subwords.placeholders else Masked(sentence, ())

    def _texts(self, sentence: str, hypotheses: Sequence[Hypothesis]) -> list[str]:
        """Translations with what the sentence's placeholders stand for."""
        values, is_capital = self._masked(sentence).values, sentence[:1].isupper()
        texts = self.subwords.decode([hypothesis.tokens for hypothesis in hypotheses])
        return [self.keeping.ended(sentence, filled(text, values, is_capital=is_capital)) for text in texts]

    def _searched(self, sentences: Sequence[str], search: Search) -> list[list[Hypothesis]]:
        masked = [self._masked(sentence) for sentence in sentences]
        rows = [torch.tensor([*numbers, END]) for numbers in self.subwords.encode([one.text for one in masked])]
        wanted = [self.subwords.placeholders[: len(one.values)] for one in masked]
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        order = np.argsort(lengths, kind="stable")
        results: list[list[Hypothesis]] = [[] for _ in rows]
        size = max(_MOST_ROWS // search.beam, 1)
        for index in (order[k : k + size] for k in range(0, len(order), size)):
            limits = [int(_LONGER * length) + _MORE for length in lengths[index] - 1]
            with torch.no_grad():
                once = Once(self.subwords.placeholders, END, [wanted[k] for k in index])
                searched = beam_search(
                    self._begun([rows[k] for k in index], once, search),
                    limits, begin=BEGIN, end=END, beam=search.beam, length_penalty=search.length_penalty,
                )  # fmt: skip
            for k, hypotheses in zip(index, searched, strict=True):
                results[k] = hypotheses
        return results

    def _begun(self, rows: Sequence[Tensor], once: Once, search: Search) -> AttentionSearch | EnsembleSearch:
        """The beginning of some translations, of which each is chosen from its shortlist."""
        shortlist = None
        if search.shortlist:
            known = self._shortlist()
            shortlist = [known.of(row[:-1].tolist(), search.shortlist) for row in rows]
        members = [model.searched(rows, search.beam, once, search.coverage, shortlist) for model in self.models]
        return members[0] if len(members) == 1 else EnsembleSearch(members)

    def _cut(self, lines: Sequence[str]) -> list[list[str]]:
        """The sentences of each line; a line no longer than what was learnt from stays whole."""
        tidy = [" ".join(line.split()) for line in lines]
        return [[] if not line else [line] if self._is_short(line) else self._parts(line) for line in tidy]

    def _is_short(self, sentence: str) -> bool:
        """Whether a sentence is no longer than what was learnt from, and has no more to keep than there are marks."""
        if self.subwords.placeholders:
            spans = self.keeping.spans(sentence)
            if len(spans) > len(self.subwords.placeholders):
                return False
            sentence = masked(sentence, spans).text
        return len(self.subwords.encode([sentence])[0]) < self.longest

    def _parts(self, line: str) -> list[str]:
        """A long line at the ends of its sentences, and what is still too long between words or characters."""
        parts: list[str] = []
        for sentence in filter(None, _SENTENCE_ENDS.split(line)):
            parts += self._chunks(sentence)
        return parts

    def _chunks(self, sentence: str) -> list[str]:
        if self._is_short(sentence):
            return [sentence]
        words = sentence.split(" ")
        if len(words) == 1:
            half = len(sentence) // 2
            return [sentence] if half == 0 else [*self._chunks(sentence[:half]), *self._chunks(sentence[half:])]
        half = len(words) // 2
        return [*self._chunks(" ".join(words[:half])), *self._chunks(" ".join(words[half:]))]

    def _together(self, sentences: Sequence[tuple[list[Hypothesis], list[str]]]) -> list[Translation]:
        """The translations of a line from those of its sentences: the best of each, then the second of each."""
        if not sentences:
            return [Translation("", 1.0, 0.0)]
        together = []
        for rank in range(max(len(hypotheses) for hypotheses, _ in sentences)):
            chosen = [
                (hypotheses[at], texts[at])
                for hypotheses, texts in sentences
                for at in [min(rank, len(hypotheses) - 1)]
            ]
            logs = [(hypothesis.log_probability, len(hypothesis.tokens) + 1) for hypothesis, _ in chosen]
            confidence = float(np.exp(sum(log for log, _ in logs) / sum(count for _, count in logs)))
            text = " ".join(
                word for _, text in chosen for word in text.split()
            )  # whatever bytes were written: one line
            together.append(Translation(text, confidence, sum(hypothesis.score for hypothesis, _ in chosen)))
        return together
