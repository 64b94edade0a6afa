"""A translation memory: the training pair whose source is most like a sentence."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

MOST_KEPT = 50_000
"""Pairs that a run keeps."""
_LARGEST = 1 << 28
_AT_ONCE = 256


class Nearest(NamedTuple):
    """A pair of the memory.

    Attributes:
        source: Its sentence.
        target: Its translation.
        similarity: The cosine of both sentences' TF-IDF weights, between 0 and 1.
    """

    source: str
    target: str
    similarity: float


class TranslationMemory:
    """Known pairs, found by the words of their sources.

    Args:
        sources: The sentences.
        targets: Their translations.
    """

    def __init__(self, sources: Sequence[str], targets: Sequence[str]) -> None:
        self.sources, self.targets = sources, targets

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def size(self) -> int:
        """How many weights it holds."""
        return int(self._index[1].nnz)

    def nearest(self, sentences: Sequence[str]) -> list[Nearest]:
        """The most similar pair for each sentence; the first pair where no word is known."""
        vectoriser, known = self._index
        matches = []
        for start in range(0, len(sentences), _AT_ONCE):
            similar = (vectoriser.transform(sentences[start : start + _AT_ONCE]) @ known.T).toarray()
            best = similar.argmax(axis=1)
            matches += [
                Nearest(self.sources[k], self.targets[k], float(min(row[k], 1.0)))
                for row, k in zip(similar, best, strict=True)
            ]
        return matches

    @cached_property
    def _index(self) -> tuple[TfidfVectorizer, csr_matrix]:
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectoriser = TfidfVectorizer(token_pattern=r"\w+|[^\w\s]", sublinear_tf=True, dtype=np.float32)
        return vectoriser, vectoriser.fit_transform(self.sources)

    def packed(self) -> str:
        """The pairs as text, those of a large memory evenly spread."""
        count = min(len(self), MOST_KEPT)
        kept = (np.arange(count) * len(self) // max(count, 1)).tolist()
        rows = [[self.sources[k] for k in kept], [self.targets[k] for k in kept]]
        return base64.b64encode(zlib.compress(json.dumps(rows, ensure_ascii=False).encode())).decode()

    @classmethod
    def unpacked(cls, text: str) -> TranslationMemory:
        """The memory whose `packed()` this is.

        Raises:
            ValueError: It is none.
        """
        try:
            unpacker = zlib.decompressobj()
            content = unpacker.decompress(base64.b64decode(text, validate=True), _LARGEST)
            if not unpacker.eof:
                raise ValueError("the memory of pairs is damaged or too large")
            sources, targets = json.loads(content)
        except (zlib.error, binascii.Error) as error:
            raise ValueError(f"the memory of pairs is damaged ({error})") from None
        return cls([str(source) for source in sources], [str(target) for target in targets])
