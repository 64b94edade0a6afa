"""Texts to token indices: the strings with their tokens, the vocabulary of the training part, and padded batches."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

import numpy as np

from gatework.data.dataset import Batch, Split
from gatework.data.pieces import PieceVocabulary, SubwordTokens
from gatework.data.tokens import Tokens, spans, tokenise, words_of_few
from gatework.data.word_pairs import WordPairs
from gatework.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from gatework.options import DataOptions, Padding

PADDING = 0
"""The index that fills a batch where a text has ended, or not begun."""
UNKNOWN = 1
"""The index of every word outside the vocabulary."""
FIRST_WORD = 2
"""The index of the most frequent word."""


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts and, once asked for, their tokens.

    Attributes:
        strings: The texts, a polars Series of strings.
    """

    strings: pl.Series

    @classmethod
    def of(cls, strings: Iterable[str]) -> Texts:
        """Texts from any iterable of strings."""
        import polars as pl

        return cls(pl.Series("text", list(strings), dtype=pl.String))

    @classmethod
    def with_tokens(cls, strings: pl.Series, tokens: Tokens) -> Texts:
        """Texts whose tokens are known already, as from a cache."""
        texts = cls(strings)
        texts.__dict__["tokens"] = tokens
        return texts

    @classmethod
    def joined(cls, parts: Sequence[Texts]) -> Texts:
        """The texts of several, one after the other; their tokens are not made again."""
        import polars as pl

        types = pl.concat([part.tokens.types for part in parts]).unique().sort()
        ids = [np.asarray(types.search_sorted(part.tokens.types))[part.tokens.flat()] for part in parts]
        lengths = np.concatenate([part.tokens.lengths for part in parts])
        tokens = Tokens(types, np.concatenate(ids).astype(np.int32), np.cumsum(lengths) - lengths, lengths)
        return cls.with_tokens(pl.concat([part.strings for part in parts]), tokens)

    @property
    def kind(self) -> Literal["text"]:
        """What they are."""
        return "text"

    def identities(self) -> list[Hashable]:
        """The texts without their outer spaces."""
        return list(self.strings.str.strip_chars())

    def columns(self) -> dict[str, pl.Series | list[np.ndarray]]:
        """One column "text", shape (texts,)."""
        return {"text": self.strings}

    def notes(self) -> tuple[str, ...]:
        """How many are empty."""
        empty = int((self.strings.str.strip_chars() == "").sum())
        return (f"{empty:,} of the {len(self):,} texts are empty.",) if empty else ()

    @cached_property
    def tokens(self) -> Tokens:
        """The tokens of every text: made at the first call and shared by the parts that are taken afterwards."""
        return tokenise(self.strings)

    @property
    def is_cut(self) -> bool:
        """Whether the tokens are known by now."""
        return "tokens" in self.__dict__

    def __len__(self) -> int:
        return len(self.strings)

    def __iter__(self) -> Iterator[str]:
        return iter(self.strings)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: np.ndarray) -> Texts: ...
    def __getitem__(self, index: int | np.ndarray) -> str | Texts:
        if isinstance(index, (int, np.integer)):
            return self.strings[int(index)]
        taken = Texts(self.strings.gather(index))
        if self.is_cut:
            taken.__dict__["tokens"] = self.tokens.take(index)
        return taken


def texts_of(split: Split) -> Texts:
    """The inputs of examples that are texts.

    Raises:
        DataError: They are something else.
    """
    if not isinstance(split.inputs, Texts):
        raise DataError(f"these examples are {split.inputs.kind}, and texts were expected: give texts, or another task")
    return split.inputs


@dataclass(frozen=True)
class Vocabulary:
    """The words that a model knows, most frequent first, and the pairs of neighbouring words.

    A word's index is its position plus two: index 0 is padding and index 1 every other word. Those of pairs follow.
    `len()` counts all of them, so it is the number of rows of an embedding.

    Attributes:
        words: The known words; ties in frequency stand in the order of their code points.
        pairs: The known pairs, with a blank between their words, in the order of the words' indices.
    """

    words: tuple[str, ...]
    pairs: tuple[str, ...] = ()

    @classmethod
    def fit(cls, texts: Texts, size: int, *more: Texts, pairs: int = 0, most: int = 0) -> Vocabulary:
        """The most frequent words of these texts, and pairs of them.

        Args:
            texts: The training part.
            size: The most words to keep.
            more: Further texts whose words and pairs count as well, such as those without labels.
            pairs: The most pairs of words to keep.
            most: The last so many tokens of a text are looked at for pairs; 0: all.
        """
        words = cls._of_words(texts, size, *more)
        if not pairs:
            return words
        lengths, indices = words.encoded(Texts.joined([texts, *more]) if more else texts, most)
        return words.with_pairs(WordPairs.fit(indices, lengths, len(words), FIRST_WORD, pairs))

    @classmethod
    def _of_words(cls, texts: Texts, size: int, *more: Texts) -> Vocabulary:
        if more:
            return cls(tuple(_counted([texts, *more])["word"].head(size)))
        counts = texts.tokens.counts()
        # Types are sorted, so a stable sort leaves words of equal frequency in the order of their code points, whatever
        # other words the texts that these were cut from had.
        order = np.argsort(-counts, kind="stable")[:size]
        return cls(tuple(texts.tokens.types.gather(order[counts[order] > 0])))

    @cached_property
    def _index(self) -> dict[str, int]:
        return {word: position for position, word in enumerate(self.words, start=FIRST_WORD)}

    @cached_property
    def known_pairs(self) -> WordPairs:
        """The pairs by the indices of their words.

        Raises:
            ValueError: A pair is not of two known words, or they are out of order.
        """
        rows = len(self.words) + FIRST_WORD
        words = [pair.split(" ") for pair in self.pairs]
        if any(len(pair) != 2 for pair in words):
            raise ValueError("a pair is not of two words")
        first, second = (self.indices(pair[k] for pair in words).astype(np.int64) for k in (0, 1))
        codes = first * rows + second
        if (np.minimum(first, second) < FIRST_WORD).any() or (np.diff(codes) <= 0).any():
            raise ValueError("the pairs are not of known words, or out of order")
        return WordPairs(codes, rows)

    def with_pairs(self, pairs: WordPairs) -> Vocabulary:
        """The same words with these pairs of them."""
        names = ("", "", *self.words)
        both = zip((pairs.codes // pairs.words).tolist(), pairs.seconds.tolist(), strict=True)
        return Vocabulary(self.words, tuple(f"{names[first]} {names[second]}" for first, second in both))

    def __len__(self) -> int:
        return len(self.words) + len(self.pairs) + FIRST_WORD

    def indices(self, words: Iterable[str], dtype: type[np.signedinteger] = np.int32) -> np.ndarray:
        """The index of each word, shape (words,), with 1 for the unknown ones."""
        index = self._index
        return np.array([index.get(word, UNKNOWN) for word in words], dtype)

    def encoded(self, texts: Texts, most: int) -> tuple[np.ndarray, np.ndarray]:
        """The words of each text, of which the last `most` are kept: how many, shape (texts,), and their indices, shape
        (words,), one text after the other.

        Where a word and the one before it are a known pair, its index is the pair's.
        """
        if not texts.is_cut and (lists := words_of_few(list(texts))) is not None:
            kept = [words[-most:] for words in lists]
            lengths = np.array([len(words) for words in kept], dtype=np.int64)
            return lengths, self.paired(self.indices(word for words in kept for word in words), lengths)
        tokens = texts.tokens.last(most)
        return tokens.lengths, self.paired(self.indices(tokens.types.to_list())[tokens.flat()], tokens.lengths)

    def paired(self, indices: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """The indices of texts' words, shape (words,), one text after the other, with those of known pairs."""
        return self.known_pairs.read(indices, lengths) if self.pairs else indices


def _counted(texts: list[Texts]) -> pl.DataFrame:
    """The words of several texts in the order of a vocabulary: "word" and how often it occurs, as "count"."""
    import polars as pl

    each = [pl.DataFrame({"word": part.tokens.types, "count": part.tokens.counts()}) for part in texts]
    joined = pl.concat(each).filter(pl.col("count") > 0).group_by("word").agg(pl.col("count").sum())
    return joined.sort("count", "word", descending=[True, False])


class TextExamples:
    """Texts as vocabulary indices, batched with padding.

    An empty text is read as one unknown word, so that every sequence has a step.

    Attributes:
        split: The examples before encoding.
        lengths: Steps of each example, shape (examples,), int64; all equal where padding goes in front.
    """

    def __init__(
        self,
        split: Split,
        targets: np.ndarray,
        vocabulary: Vocabulary | PieceVocabulary,
        max_tokens: int = 0,
        padding: Padding = "mask",
    ) -> None:
        """Encodes the texts.

        Args:
            split: Examples with texts as inputs.
            targets: Class indices of shape (examples,) or values of shape (examples, output).
            vocabulary: The known words, or pieces of words.
            max_tokens: The last so many tokens of each text are kept; 0 keeps all.
            padding: "mask" puts padding behind, to the batch's longest text; "pre" puts it in front, up to `max_tokens`
                (to the longest of these texts where that is 0), and counts it as steps, as Keras' pad_sequences does.
        """
        texts = texts_of(split)
        self.split = split
        lengths, indices = vocabulary.encoded(texts, max_tokens)
        self._count = np.maximum(lengths, 1)
        self._starts = np.cumsum(self._count) - self._count
        self._indices = np.full(int(self._count.sum()), UNKNOWN, dtype=np.int32)
        self._indices[spans(self._starts, lengths)] = indices
        self._targets = targets
        self._pads_in_front = padding == "pre"
        self.lengths = self._count
        if self._pads_in_front:
            steps = max_tokens or int(self._count.max(initial=1))
            self.lengths = np.full(len(texts), steps, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._targets)

    def batch(self, index: np.ndarray) -> Batch:
        """The examples at these positions: inputs of shape (batch, time), int64."""
        import torch

        inputs, lengths = self.arrays(index)
        return Batch(torch.from_numpy(inputs), torch.from_numpy(lengths), torch.from_numpy(self._targets[index]))

    def arrays(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The inputs and the lengths of the examples at these positions, shape (batch,), as `Batch` has them."""
        count, lengths = self._count[index], self.lengths[index]
        indices = self._indices[spans(self._starts[index], count)]
        return padded(indices, count, int(lengths.max()), pads_in_front=self._pads_in_front), lengths


def padded(indices: np.ndarray, count: np.ndarray, steps: int, *, pads_in_front: bool) -> np.ndarray:
    """The tokens of some texts as one array, shape (texts, steps), int64.

    Args:
        indices: Their tokens, one text after the other.
        count: How many each has, shape (texts,).
        steps: The steps of the array.
        pads_in_front: Whether what is left stands in front of a text, not behind it.
    """
    inputs = np.full((len(count), steps), PADDING, dtype=np.int64)
    if pads_in_front:
        is_word = np.arange(steps) >= steps - count[:, None]
    else:
        is_word = np.arange(steps) < count[:, None]
    inputs[is_word] = indices
    return inputs


@dataclass(frozen=True)
class TextEncoder:
    """How texts become model inputs: the vocabulary of the training part and the reading limits.

    Attributes:
        vocabulary: The known words, or the pieces of words of a language model.
        max_tokens: The last so many tokens are read; 0 reads all.
        padding: Where padding goes.
    """

    kind: ClassVar[Literal["text"]] = "text"

    vocabulary: Vocabulary | PieceVocabulary
    max_tokens: int
    padding: Padding

    @classmethod
    def fit(cls, texts: Texts, config: DataOptions, *more: Texts) -> TextEncoder:
        """Learns the vocabulary from the training part, and from further texts where there are some."""
        words = Vocabulary.fit(texts, config.vocabulary, *more, pairs=config.pairs, most=config.max_tokens)
        return cls(words, config.max_tokens, config.padding)

    @property
    def pairs(self) -> WordPairs | None:
        """The pairs of words that it reads as one step; None where there are none."""
        vocabulary = self.vocabulary
        return None if isinstance(vocabulary, PieceVocabulary) or not vocabulary.pairs else vocabulary.known_pairs

    @property
    def words(self) -> Vocabulary:
        """The known words.

        Raises:
            UsageError: It reads pieces of words.
        """
        if isinstance(self.vocabulary, PieceVocabulary):
            raise UsageError(
                "the network reads pieces of words, and this takes one that reads words: train without --from"
            )
        return self.vocabulary

    def names(self, texts: Texts) -> list[list[str]]:
        """What each step of each text reads, as a person reads it."""
        if isinstance(self.vocabulary, PieceVocabulary):
            return [self.vocabulary.names(text, self.max_tokens) for text in texts]
        tokens = texts.tokens.last(self.max_tokens)
        return [tokens.words(position) for position in range(len(texts))]

    def state(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        limits = {"max_tokens": self.max_tokens, "padding": self.padding}
        if isinstance(self.vocabulary, PieceVocabulary):
            return {"pieces": self.vocabulary.tokens.content, **limits}
        pairs = {"pairs": list(self.vocabulary.pairs)} if self.vocabulary.pairs else {}
        return {"words": list(self.vocabulary.words), **pairs, **limits}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> TextEncoder:
        """The encoder whose `state()` this is."""
        pieces = state.get("pieces")
        if pieces is not None:
            return cls(PieceVocabulary(SubwordTokens(pieces)), state["max_tokens"], state["padding"])
        words, pairs = state["words"], state.get("pairs", [])
        if not all(isinstance(word, str) for word in [*words, *pairs]):
            raise TypeError("a word is no text")
        vocabulary = Vocabulary(tuple(words), tuple(pairs))
        _ = vocabulary.known_pairs
        return cls(vocabulary, state["max_tokens"], state["padding"])

    def encode(self, split: Split, targets: np.ndarray) -> TextExamples:
        """Examples ready to be batched, with their targets, shape (examples,) or (examples, targets)."""
        return TextExamples(split, targets, self.vocabulary, self.max_tokens, self.padding)
