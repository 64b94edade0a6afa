"""What is chosen on held-back recordings: how much the language counts, how sure words are, how loud."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass, fields, replace

import numpy as np

from gatework.decoding import CtcReader, LanguageWeights, LetterModel, SpokenLanguage, WrittenLetter
from gatework.decoding.ctc import BEAM
from gatework.tasks._voice import LEAST, Loudness, least_of
from gatework.tasks.transcribe.confidence import COUNT as CONFIDENCE_COUNT
from gatework.tasks.transcribe.confidence import Confidence
from gatework.tasks.transcribe.letters import Alphabet
from gatework.tasks.transcribe.metrics import aligned, letter_errors, word_counts, word_errors
from gatework.tasks.transcribe.phrases import COUNT as PHRASES_COUNT
from gatework.tasks.transcribe.phrases import PhraseWeights, chosen_phrase_weights
from gatework.tasks.transcribe.transcript import by_words, written

_WEIGHTS = len(fields(LanguageWeights))
_PHRASES = 1 + 2 * _WEIGHTS
_CONFIDENCE = _PHRASES + PHRASES_COUNT
_VOICE = _CONFIDENCE + CONFIDENCE_COUNT
COUNT = _VOICE + 1
"""The numbers that a `Chosen` is kept as."""
_LANGUAGE = (0.25, 0.5, 0.75, 1.0, 1.5)
_WORD = (-1.0, 1.0, 2.0, 3.0)
_BLANK = (0.0, 1.0, 2.0)
_RECURRENT = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
# A narrow beam ranks the weights as a wide one does, in a quarter of the time.
_BEAM = 16
_MOST = 100


@dataclass(frozen=True)
class Chosen:
    """What was chosen on the validation part.

    Attributes:
        language: How much the language counts.
        closed: Likewise where no word outside a given lexicon may be written.
        phrases: How one of given phrases is told from the others.
        confidence: How sure words are.
        least_movement: By how much the loudness moves within a word; see `gatework.tasks._voice`.
    """

    language: LanguageWeights
    closed: LanguageWeights
    phrases: PhraseWeights
    confidence: Confidence
    least_movement: float = LEAST

    def state(self) -> list[float]:
        """It as `COUNT` numbers, the first of which is 1."""
        weights = [*astuple(self.language), *astuple(self.closed), *self.phrases.state()]
        return [1.0, *weights, *self.confidence.state(), self.least_movement]

    @classmethod
    def from_state(cls, state: Sequence[float]) -> Chosen:
        """The one whose `state()` this is."""
        return cls(
            LanguageWeights(*state[1 : 1 + _WEIGHTS]),
            LanguageWeights(*state[1 + _WEIGHTS : _PHRASES]),
            PhraseWeights(*state[_PHRASES:_CONFIDENCE]),
            Confidence.from_state(state[_CONFIDENCE:_VOICE]),
            state[_VOICE],
        )


def chosen(
    alphabet: Alphabet,
    language: SpokenLanguage,
    complete: SpokenLanguage,
    texts: Sequence[str],
    log_probs: Sequence[np.ndarray],
    references: Sequence[str],
    recurrent: LetterModel | None = None,
    loudness: Sequence[Sequence[float]] = (),
    *,
    beam: int = BEAM,
) -> Chosen:
    """What does best on recordings that were held back.

    Args:
        alphabet: The letters, or words.
        language: What is known of the language.
        complete: The same with every word of the references in its lexicon, as if a list of them had been given.
        texts: The training texts.
        log_probs: What the network says of each recording, shape (steps, letters + 1).
        references: What is said in each.
        recurrent: A recurrent language model.
        loudness: That of every step of each recording, if it is known.
        beam: Prefixes that are kept where the words are read whose confidence is learnt.
    """
    weights = closed = chosen_weights(alphabet.units, language, log_probs, references, recurrent)
    if complete.lexicon:
        closed = chosen_weights(alphabet.units, complete, log_probs, references, recurrent, is_closed=True)
    reader = CtcReader(alphabet.units, language, weights, beam=beam, recurrent=recurrent)
    judged = [_judged(alphabet, reader, one, said) for one, said in zip(log_probs, references, strict=True)]
    return Chosen(
        weights,
        closed,
        chosen_phrase_weights(alphabet, language, texts, log_probs, references, weights.blank),
        _fitted_confidence(alphabet, set(language.lexicon), [word for words in judged for word in words]),
        least_of([one for words, steps in zip(judged, loudness, strict=False) for one in _movements(words, steps)]),
    )


@dataclass(frozen=True)
class _JudgedWord:
    letters: list[WrittenLetter]
    is_right: bool


def _judged(alphabet: Alphabet, reader: CtcReader, log_probs: np.ndarray, reference: str) -> list[_JudgedWord]:
    """The words that are read of a recording, each right or wrong."""
    words = by_words(reader.read(log_probs), alphabet)
    said = " ".join(written(letters, alphabet) for letters in words)
    is_right = [right == word for right, word in aligned(reference, said) if word]
    return [_JudgedWord(*each) for each in zip(words, is_right, strict=True)]


def _fitted_confidence(alphabet: Alphabet, known: Collection[str], judged: Sequence[_JudgedWord]) -> Confidence:
    words = [[letter.log_probability for letter in word.letters] for word in judged]
    is_known = [written(word.letters, alphabet) in known for word in judged]
    return Confidence.fit(words, is_known, [word.is_right for word in judged])


def _movements(judged: Sequence[_JudgedWord], loudness: Sequence[float]) -> list[float]:
    """By how much the loudness moves within each word that was rightly read."""
    voice = Loudness()
    voice.hear(loudness)
    return [voice.movement(word.letters[0].step, word.letters[-1].step) for word in judged if word.is_right]


def chosen_weights(
    alphabet: Sequence[str],
    model: SpokenLanguage,
    log_probs: Sequence[np.ndarray],
    references: Sequence[str],
    recurrent: LetterModel | None = None,
    *,
    is_closed: bool = False,
) -> LanguageWeights:
    """The weights with the least word and letter error rates together; 0 where a model does no good.

    Args:
        alphabet: The letters, or words.
        model: What is known of the language.
        log_probs: What the network says of each recording, shape (steps, letters + 1).
        references: What is said in each.
        recurrent: A recurrent language model.
        is_closed: Whether no word outside the lexicon may be written.
    """
    log_probs, references = log_probs[:_MOST], references[:_MOST]

    words, letters = max(int(word_counts(references).sum()), 1), max(sum(map(len, references)), 1)

    def errors(weights: LanguageWeights) -> float:
        reader = CtcReader(alphabet, model, weights, is_closed=is_closed, beam=_BEAM, recurrent=recurrent)
        texts = [reader.text(reader.read(one)) for one in log_probs]
        return float(word_errors(references, texts).sum() / words + letter_errors(references, texts).sum() / letters)

    def best_of(*others: LanguageWeights) -> LanguageWeights:
        by_errors.update({weights: errors(weights) for weights in others if weights not in by_errors})
        return min(by_errors, key=by_errors.__getitem__)

    by_errors: dict[LanguageWeights, float] = {}
    best = best_of(*(LanguageWeights(one, blank=blank) for blank in _BLANK for one in (0.0, *_LANGUAGE)))
    best = best_of(*(replace(best, blank=max(best.blank + change, 0.0)) for change in (-0.5, 0.5)))
    best = best_of(*(replace(best, word=word) for word in _WORD))
    if recurrent is None:
        return best
    # What is counted may count less, or not at all, where both speak of the same.
    counted = dict.fromkeys((best.language, best.language / 2, 0.0))
    best = best_of(*(replace(best, language=one, recurrent=weight) for one in counted for weight in _RECURRENT))
    return best_of(*(replace(best, word=word) for word in (0.0, *_WORD)))
