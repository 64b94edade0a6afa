"""What a language model reads a text as: characters with bytes for the rest, or pieces of words made of bytes."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BOUNDARY = 0
"""The token before, between and behind documents."""
_FIRST_BYTE = 1
_FIRST_CHARACTER = _FIRST_BYTE + 256


@dataclass(frozen=True)
class CharacterTokens:
    """Each character is a token; one that is not known is read as the bytes of its UTF-8 form, each a token.

    Token 0 is the boundary of documents, 1 to 256 are the bytes, the characters follow.

    Attributes:
        characters: The known characters, most frequent first.
    """

    level: ClassVar[str] = "char"

    characters: str

    @classmethod
    def fit(cls, texts: Iterable[str], size: int) -> CharacterTokens:
        """The most frequent characters; those that occur once are left to the bytes, which so have their example."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(text)
        ranked = sorted((c for c, n in counts.items() if n > 1), key=lambda c: (-counts[c], c))
        return cls("".join(ranked[:size]))

    @property
    def name(self) -> str:
        """What they are, in words."""
        return f"characters ({len(self.characters):,} known, the rest as bytes)"

    def __len__(self) -> int:
        return _FIRST_CHARACTER + len(self.characters)

    @cached_property
    def _known(self) -> tuple[np.ndarray, np.ndarray]:
        """The code points in their order, and the token of each."""
        points = np.array([ord(c) for c in self.characters], dtype=np.int64)
        order = np.argsort(points)
        return points[order], order + _FIRST_CHARACTER

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        """The tokens of each text, shape (tokens,), int32."""
        return [self._tokens(text) for text in texts]

    def _tokens(self, text: str) -> np.ndarray:
        points = np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.int64)
        known, tokens = self._known
        if not len(known):
            return np.frombuffer(text.encode(errors="replace"), dtype=np.uint8).astype(np.int32) + _FIRST_BYTE
        places = np.minimum(np.searchsorted(known, points), len(known) - 1)
        is_known = known[places] == points
        if is_known.all():
            return tokens[places].astype(np.int32)
        pieces: list[np.ndarray | list[int]] = []
        start = 0
        for unknown in np.flatnonzero(~is_known).tolist():
            pieces += [tokens[places[start:unknown]], [b + _FIRST_BYTE for b in text[unknown].encode(errors="replace")]]
            start = unknown + 1
        return np.concatenate([*pieces, tokens[places[start:]]]).astype(np.int32)

    @cached_property
    def pieces(self) -> tuple[bytes, ...]:
        """What each token stands for, in UTF-8; nothing for the boundary."""
        return (b"", *(bytes([b]) for b in range(256)), *(c.encode() for c in self.characters))

    def state(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {"level": self.level, "characters": self.characters}


@dataclass(frozen=True)
class SubwordTokens:
    """Pieces of words, learnt by byte-pair encoding on bytes, by the library tokenizers.

    Token 0 is the boundary of documents; the library's own follow.

    Attributes:
        content: The tokenizer, as the library writes it.
    """

    level: ClassVar[str] = "subword"

    content: str

    @classmethod
    def fit(cls, texts: Iterable[str], size: int) -> SubwordTokens:
        """Learns at most so many pieces; the 256 bytes are always among them."""
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=max(size, 256), initial_alphabet=alphabet, show_progress=False, min_frequency=2
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer.to_str())

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        return Tokenizer.from_str(self.content)

    @property
    def name(self) -> str:
        """What they are, in words."""
        return f"{len(self) - 1:,} pieces of words (byte-pair encoding on bytes)"

    def __len__(self) -> int:
        return self._tokenizer.get_vocab_size() + 1

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        """The tokens of each text, shape (tokens,), int32."""
        plain = [text.encode(errors="replace").decode() for text in texts]
        return [np.array(e.ids, dtype=np.int32) + 1 for e in self._tokenizer.encode_batch(plain)]

    @cached_property
    def letters(self) -> tuple[str, ...]:
        """Each piece of the library in its order, a letter for each byte."""
        return tuple(self._tokenizer.id_to_token(k) or "" for k in range(len(self) - 1))

    @cached_property
    def merges(self) -> tuple[str, ...]:
        """The pairs of pieces that become one, as "first second", the first learnt first."""
        merges = json.loads(self.content)["model"]["merges"]
        return tuple(merge if isinstance(merge, str) else " ".join(merge) for merge in merges)

    @cached_property
    def pieces(self) -> tuple[bytes, ...]:
        """What each token stands for, in UTF-8; nothing for the boundary."""
        byte_of = {letter: byte for byte, letter in _letters().items()}
        return (b"", *(bytes(byte_of[letter] for letter in word) for word in self.letters))

    def state(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {"level": self.level, "content": self.content}


Tokens = CharacterTokens | SubwordTokens


@dataclass(frozen=True)
class PieceVocabulary:
    """Pieces of words in the place of a vocabulary: a text is the boundary before it and its pieces.

    Attributes:
        tokens: The pieces.
    """

    tokens: SubwordTokens

    def __len__(self) -> int:
        return len(self.tokens)

    def encoded(self, texts: Iterable[str | None], most: int) -> tuple[np.ndarray, np.ndarray]:
        """How many tokens each text has, shape (texts,), and the tokens of all in order, shape (tokens,), int32.

        Args:
            texts: The texts; a missing one counts as empty.
            most: The boundary and the last pieces are kept, so many together; 0 keeps all.
        """
        pieces = self.tokens.encode([clean(text or "") for text in texts])
        kept = [_last(ids, most) for ids in pieces]
        lengths = np.array([1 + len(ids) for ids in kept], dtype=np.int64)
        boundary = np.array([BOUNDARY], dtype=np.int32)
        parts = [part for ids in kept for part in (boundary, ids)]
        return lengths, np.concatenate(parts) if parts else boundary[:0]

    def names(self, text: str, most: int) -> list[str]:
        """What each token of a text stands for, as a person reads it; nothing for the boundary."""
        ids = _last(self.tokens.encode([clean(text)])[0], most).tolist()
        return ["", *(self.tokens.pieces[token].decode(errors="replace") for token in ids)]


def _last(ids: np.ndarray, most: int) -> np.ndarray:
    """The last pieces of a text, so many with the boundary before them."""
    return ids[max(len(ids) + 1 - most, 0) :] if most else ids


def clean(text: str) -> str:
    """A text with one form for each character and each end of a line."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def tokens_from_state(state: Mapping[str, Any]) -> Tokens:
    """The tokens whose `state()` this is."""
    if state["level"] == SubwordTokens.level:
        return SubwordTokens(state["content"])
    return CharacterTokens(state["characters"])


def _letters() -> dict[int, str]:
    """The letter that the library writes for each byte: itself where it can be seen, else one from 256 on (GPT-2)."""
    seen = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    unseen = [byte for byte in range(256) if byte not in seen]
    return {b: chr(b) for b in seen} | {b: chr(256 + k) for k, b in enumerate(unseen)}
