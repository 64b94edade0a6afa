"""Weights as text in a page: float16 where there are many, compressed, in base 85.

Tensors of many numbers (the embedding, large matrices) are stored in float16, the others in float32. The bytes of a
tensor are sorted by significance (all lowest bytes, ..., all highest ones), which makes exponents compressible; what
zlib then gives is written with 85 printable characters, 5 for every 4 bytes.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

# Base 85 has no "/" and so cannot end a script element; without "<" it cannot begin a comment in one either.
_SAFE = str.maketrans("<", ",")
MANY = 2**15
"""Tensors of so many numbers or more are stored in float16."""


def pack(tensors: Mapping[str, np.ndarray]) -> tuple[list[dict[str, Any]], str]:
    """Packs tensors for a page.

    Args:
        tensors: By name, of any floating type.

    Returns:
        For each tensor its name, shape and bytes per number, in the order of the text; and the text.
    """
    listing, planes = [], []
    for name, tensor in tensors.items():
        kind = np.dtype("<f2" if tensor.size >= MANY else "<f4")
        numbers = np.ascontiguousarray(tensor, dtype=kind)
        planes.append(numbers.view(np.uint8).reshape(-1, kind.itemsize).T.tobytes())
        listing.append({"name": name, "shape": list(tensor.shape), "bytes": kind.itemsize})
    # Weights hold no repetitions: looking for them would only cost room.
    return listing, _text(b"".join(planes), zlib.Z_HUFFMAN_ONLY)


def pack_words(words: tuple[str, ...]) -> str:
    """A vocabulary for a page: the words in their order, one a line."""
    return _text("\n".join(words).encode("utf-8"), zlib.Z_DEFAULT_STRATEGY)


def _text(content: bytes, strategy: int) -> str:
    compressor = zlib.compressobj(9, strategy=strategy)
    compressed = compressor.compress(content) + compressor.flush()
    return base64.b85encode(compressed).decode("ascii").translate(_SAFE)
