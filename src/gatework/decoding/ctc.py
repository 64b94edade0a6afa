r"""Reading the output of a network trained by connectionist temporal classification, with what is known of a language.

At each step $t$ the network gives $p_t(k)$ for every letter $k$, from 1, and for the blank, 0. The search looks for the
text $y$ with the highest

$$\log p(y \mid x) + \alpha \log p(y) + \beta \, |\text{words of } y|,$$

where $p(y \mid x)$ is the sum over all ways to write $y$ with blanks between and letters held, and $p(y)$ an n-gram
model of words; one that the lexicon does not have is an unknown word, spelt by an n-gram model of letters. A recurrent
language model adds $\gamma \log q(y)$, letter by letter, so that it counts in what is kept (shallow fusion).

Source: A. Hannun et al., "First-pass large vocabulary continuous speech recognition using bi-directional recurrent
DNNs", 2014.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gatework import _decoding
from gatework.decoding.letter_model import LetterModel
from gatework.decoding.ngrams import NGramModel
from gatework.errors import UsageError

BEAM = 32
"""Prefixes that are kept at each step where nobody says otherwise."""
_WORD_ORDER, _LETTER_ORDER = 3, 6
_MOST_LETTERS = 100_000


class WrittenLetter(NamedTuple):
    """A letter of a text that was read.

    Attributes:
        letter: Its index, from 1.
        step: The step at which it was likeliest.
        log_probability: Its log-probability there.
    """

    letter: int
    step: int
    log_probability: float


@dataclass(frozen=True)
class SpokenLanguage:
    """What is known of a language: its words, and n-gram models of words and of letters.

    Attributes:
        lexicon: The words.
        words: Over the places of these, then the unknown word, then the end of a text; None where no text is known.
        letters: Over the letters less 1, then the end of a text; None likewise.
    """

    lexicon: tuple[str, ...]
    words: NGramModel | None
    letters: NGramModel | None

    @classmethod
    def of_units(cls, texts: Iterable[Sequence[int]], units: int) -> SpokenLanguage:
        """Counts texts whose units are words already.

        Args:
            texts: Indices from 1.
            units: How many there are.
        """
        said = [[*(int(unit) - 1 for unit in text), units] for text in texts]
        return cls((), None, NGramModel.fit(said, _WORD_ORDER, units + 1) if said else None)

    @classmethod
    def fit(cls, texts: Iterable[str], alphabet: Sequence[str], further_words: Iterable[str] = ()) -> SpokenLanguage:
        """Counts the words and letters of texts.

        Args:
            texts: Words with single spaces between.
            alphabet: The letters, the first of which has the index 1; words with others are not in the lexicon.
            further_words: Words that may be said as well. Those that no text has are counted as if they stood alone,
                together as often as there are words that the texts have once, or not at all where they are more than
                twice as many: so much of what is read next is new (I. Good, "The population frequencies of species",
                1953).
        """
        split, known = [text.split() for text in texts], set(alphabet)
        count = Counter(word for text in split for word in text)
        lexicon = sorted(word for word in {*count, *further_words} if word and set(word) <= known)
        place, index = {word: k for k, word in enumerate(lexicon)}, {letter: k for k, letter in enumerate(alphabet)}
        unknown, end = len(lexicon), len(alphabet)
        said = [[*(place.get(word, unknown) for word in text), unknown + 1] for text in split]
        new = [word for word in lexicon if word not in count]
        once = sum(times == 1 for times in count.values())
        alone = new * round(once / max(len(new), 1))
        letters = [*(" ".join(text) for text in split), *alone]
        spelt = [[*(index[letter] for letter in text if letter in known), end] for text in letters]
        if not said:
            return cls(tuple(lexicon), None, None)
        words = NGramModel.fit([*said, *([place[word]] for word in alone)], _WORD_ORDER, unknown + 2)
        return cls(tuple(lexicon), words, NGramModel.fit(spelt, _LETTER_ORDER, end + 1))

    def log_probability(self, letters: NDArray[np.int64]) -> float:
        """How likely a text is by its letters and its end alone, as a logarithm; 0 where no text is known.

        Args:
            letters: Its letters, from 1, shape (letters,).
        """
        if self.letters is None:
            return 0.0
        tokens = np.append(letters - 1, self.letters.vocabulary - 1)
        return float(self.letters.log_probabilities(tokens).sum(dtype=np.float64))


@dataclass(frozen=True)
class LanguageWeights:
    """How much a language counts beside the network.

    Attributes:
        language: The factor of the log-probability that is counted.
        word: What each word adds.
        phrase: What each letter of a boosted phrase adds.
        recurrent: The factor of the log-probability of a recurrent language model.
        blank: What is taken off the logarithm of the blank's probability at every step: a bonus for letters, which
            both languages and an unsure network would rather leave out.
    """

    language: float = 0.0
    word: float = 0.0
    phrase: float = 1.0
    recurrent: float = 0.0
    blank: float = 0.0


class CtcReader:
    """Reads texts with a language in mind; one for many recordings.

    Args:
        alphabet: The letters, or words, the first of which has the index 1.
        model: What is known of the language; None where the network alone decides.
        weights: How much that counts.
        boosted: Phrases that are likelier than the language says.
        is_closed: Whether no word outside the lexicon may be written.
        beam: Prefixes kept at each step.
        recurrent: A recurrent language model of these letters.

    Raises:
        UsageError: The beam is below 1, there is no lexicon to close, or the recurrent model has other letters.
    """

    def __init__(
        self,
        alphabet: Sequence[str],
        model: SpokenLanguage | None = None,
        weights: LanguageWeights = LanguageWeights(),
        *,
        boosted: Sequence[str] = (),
        is_closed: bool = False,
        beam: int = BEAM,
        recurrent: LetterModel | None = None,
    ) -> None:
        if beam < 1:
            raise UsageError(f"the beam is {beam}, expected 1 or more")
        if is_closed and not (model and model.lexicon):
            raise UsageError("a closed lexicon needs words; give some")
        if recurrent is not None and recurrent.letters != len(alphabet):
            raise UsageError(f"the language model has {recurrent.letters} letters, expected {len(alphabet)}")
        self.alphabet, self.beam, self._recurrent = alphabet, beam, recurrent
        self._is_of_words = max(map(len, alphabet), default=1) > 1
        self._index = {letter: k for k, letter in enumerate(alphabet, start=1)}
        language = _decoding.Language()
        language.space, language.is_closed = self._index.get(" ", -1), is_closed
        language.weight, language.bonus, language.boost = weights.language, weights.word, weights.phrase
        if model is not None:
            if model.words is not None:
                language.set_words(model.words.native)
            if model.letters is not None:
                language.set_letters(model.letters.native)
            language.add_lexicon(*self._joined(model.lexicon))
        language.add_boosted(*self._joined(boosted))
        if recurrent is not None and weights.recurrent:
            language.set_recurrent(recurrent.native, weights.recurrent)
        self._language, self._blank = language, weights.blank

    def search(self) -> CtcSearch:
        """A search under way, which has read nothing yet."""
        native = _decoding.BeamSearch(self._language, len(self.alphabet), self.beam)
        return CtcSearch(native, len(self.alphabet), self._blank)

    def read(self, log_probs: NDArray[np.float32]) -> list[WrittenLetter]:
        """The best text.

        Args:
            log_probs: Shape (steps, letters + 1).
        """
        search = self.search()
        search.feed(log_probs)
        return search.finish()

    def text(self, letters: Iterable[WrittenLetter]) -> str:
        """Letters as a text, those of a word alone with spaces between where they are words."""
        between = " " if self._is_of_words else ""
        return " ".join(between.join(self.alphabet[one.letter - 1] for one in letters).split())

    def _joined(self, texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The letters of texts, and where each begins; one with a letter that there is not is left without any."""
        each = [[self._index[c] for c in text] if set(text) <= self._index.keys() else [] for text in texts]
        starts = np.cumsum([0, *map(len, each)], dtype=np.int64)
        return np.array([letter for text in each for letter in text], dtype=np.int32), starts


def letter_log_probabilities(
    hidden: NDArray[np.float32], weight: NDArray[np.float32], bias: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What a linear layer and a softmax make of states, each row by itself.

    Args:
        hidden: Shape (steps, hidden).
        weight: Shape (letters + 1, hidden).
        bias: Shape (letters + 1,).

    Returns:
        Log-probabilities, shape (steps, letters + 1).
    """
    results = np.empty((len(hidden), len(weight)), np.float32)
    _decoding.letter_log_probabilities(hidden, weight, bias, results)
    return results


class CtcSearch:
    """A search that reads steps as they come; it keeps what is not settled yet, which has an end."""

    def __init__(self, native: _decoding.BeamSearch, letters: int, blank: float = 0.0) -> None:
        self._native, self._letters, self._blank = native, letters, blank

    def feed(self, log_probs: NDArray[np.float32]) -> None:
        """Goes on by steps.

        Args:
            log_probs: Shape (steps, letters + 1).

        Raises:
            UsageError: It has another number of letters.
        """
        array = np.ascontiguousarray(log_probs, dtype=np.float32)
        if array.ndim != 2 or array.shape[1] != self._letters + 1:
            raise UsageError(f"log-probabilities have shape {array.shape}, expected (steps, {self._letters + 1})")
        if self._blank:
            array = array.copy()
            array[:, 0] -= self._blank
        self._native.feed(array)

    def settled(self) -> list[WrittenLetter]:
        """The letters that no later step can change, since the previous call."""
        return [WrittenLetter(*letter) for letter in self._native.settled()]

    def open(self) -> list[WrittenLetter]:
        """What stands behind the settled letters for now."""
        return [WrittenLetter(*letter) for letter in self._native.best(False)]

    def finish(self) -> list[WrittenLetter]:
        """What stands behind the settled letters if the text ends here."""
        return [WrittenLetter(*letter) for letter in self._native.best(True)]

    @property
    def beginnings(self) -> int:
        """How many beginnings of texts are kept."""
        return self._native.beginnings()

    def score(self) -> float:
        """The score of the best text if it ends here."""
        return self._native.score()
