"""Pieces of words (byte-pair encoding) that can write every text: what no piece covers is written byte by byte.

Frequent words are one piece, rare ones several, and the 256 bytes are pieces themselves, so that nothing is ever
unknown: names, other scripts and emoji come back as they went in. Learnt by Hugging Face's `tokenizers`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PADDING, BEGIN, END = 0, 1, 2
"""What fills a batch, begins a sentence and ends it; no text gives these."""
_MARKS = ("<pad>", "<s>", "</s>")
_LEAST_COUNT = 2
_FEW = 16  # texts that are done before the library's threads have woken
_SPACE = "Ġ"
"""What a space is written as in a piece."""
PLACEHOLDERS = tuple(map(chr, range(0xE000, 0xE010)))
"""Characters for private use, each of which may be a piece and stand for a stretch of text that is kept as it is."""


class Subwords:
    """Texts to pieces and back.

    Args:
        pieces: Every piece, in the order of the numbers; the first three stand for no text, and placeholders follow.
        merges: Which two pieces become one, the first learnt first.

    Attributes:
        placeholders: The numbers of the placeholders, which follow each other.

    Raises:
        ValueError: The merges do not fit the pieces.
    """

    def __init__(self, pieces: Sequence[str], merges: Sequence[Sequence[str]]) -> None:
        self.pieces, self.merges = tuple(pieces), tuple((str(first), str(second)) for first, second in merges)
        self._tokenizer = _tokenizer(self.pieces, self.merges)
        self.placeholders = range(END + 1, END + 1 + sum(piece in PLACEHOLDERS for piece in self.pieces))

    @classmethod
    def fit(cls, texts: Iterable[str], size: int, placeholders: Sequence[str] = ()) -> Subwords:
        """Learns pieces.

        Args:
            texts: What they are learnt from, of all languages together.
            size: The most pieces, the 256 bytes and three marks among them.
            placeholders: Those of `PLACEHOLDERS` that are to be pieces.
        """
        from tokenizers import pre_tokenizers, trainers

        trainer = trainers.BpeTrainer(
            vocab_size=size,
            min_frequency=_LEAST_COUNT,
            special_tokens=[*_MARKS, *placeholders],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        tokenizer = _tokenizer((), ())
        tokenizer.train_from_iterator(texts, trainer)
        model = json.loads(tokenizer.to_str())["model"]
        merges = [merge.split(" ") if isinstance(merge, str) else merge for merge in model["merges"]]
        return cls(sorted(model["vocab"], key=model["vocab"].__getitem__), merges)

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The numbers of every text's pieces, without a begin or an end."""
        spaced = [text if text.startswith(" ") or not text else f" {text}" for text in texts]
        if len(spaced) <= _FEW:
            return [self._tokenizer.encode(text).ids for text in spaced]
        return [encoding.ids for encoding in self._tokenizer.encode_batch(spaced)]

    def recut(self, rows: Sequence[np.ndarray], share: float, random: np.random.Generator) -> list[np.ndarray]:
        """The same texts in smaller pieces: merges are undone at random, so that words are met in several cuts.

        Provilkov et al. 2020 leave merges out as a text is cut; here they are undone in the cut that there is.

        Args:
            rows: The numbers of each text's pieces, each of shape (pieces,), int64.
            share: The chance of a merge, from the last one down, to be undone.
            random: What draws.
        """
        pieces = np.concatenate([np.empty(0, np.int64), *rows])
        text = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
        is_new = np.ones(len(pieces), dtype=bool)
        while is_new.any():
            is_cut = np.zeros(len(pieces), dtype=bool)
            is_cut[is_new] = random.random(int(is_new.sum())) < share
            is_cut &= self._halves[pieces, 0] >= 0
            times = 1 + is_cut
            at = (np.cumsum(times) - times)[is_cut]
            halves = self._halves[pieces[is_cut]]
            pieces, text, is_new = np.repeat(pieces, times), np.repeat(text, times), np.repeat(is_cut, times)
            pieces[at], pieces[at + 1] = halves[:, 0], halves[:, 1]
        return np.split(pieces, np.searchsorted(text, np.arange(1, len(rows)))) if rows else []

    @cached_property
    def _halves(self) -> np.ndarray:
        """The two pieces that each was merged from, shape (pieces, 2); -1 where it was not."""
        number = {piece: at for at, piece in enumerate(self.pieces)}
        halves = np.full((len(self.pieces), 2), -1)
        for first, second in reversed(self.merges):
            halves[number[first + second]] = number[first], number[second]
        return halves

    def decode(self, numbers: Sequence[Sequence[int]]) -> list[str]:
        """The texts that these numbers write; bytes that are no character become U+FFFD."""
        kept = [[number for number in row if number > END] for row in numbers]
        if len(kept) <= _FEW:
            return [self._tokenizer.decode(row).strip() for row in kept]
        return [text.strip() for text in self._tokenizer.decode_batch(kept)]

    def words(self, numbers: Sequence[int]) -> tuple[list[str], list[int]]:
        """The words that pieces make up, and for every piece the position of its word."""
        groups: list[list[int]] = []
        places = []
        for number in numbers:
            if not groups or self.pieces[number].startswith(_SPACE):
                groups.append([])
            groups[-1].append(number)
            places.append(len(groups) - 1)
        return self.decode(groups), places

    def state(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {"pieces": list(self.pieces), "merges": [list(merge) for merge in self.merges]}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Subwords:
        """The pieces whose `state()` this is."""
        return cls(state["pieces"], state["merges"])


def _tokenizer(pieces: Sequence[str], merges: Sequence[tuple[str, str]]) -> Tokenizer:
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

    try:
        model = models.BPE({piece: number for number, piece in enumerate(pieces)}, list(merges))
    # The package has no exception of its own.
    except Exception as error:
        raise ValueError(f"the pieces of words do not fit each other ({error})") from None
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_tokens([AddedToken(piece, normalized=False) for piece in pieces if piece in PLACEHOLDERS])
    return tokenizer
