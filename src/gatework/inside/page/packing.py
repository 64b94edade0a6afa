"""Weights as text in a page: of few bytes where there are many, compressed, in base 85.

Tensors of many numbers (the embedding, large matrices) are stored in float16, or in the upper 24 bits of float32 (8
bits of exponent, 15 of fraction), the others in float32. The bytes of a
tensor are sorted by significance (all lowest bytes, ..., all highest ones), which makes exponents compressible; what
zlib then gives is written with 85 printable characters, 5 for every 4 bytes.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

# Base 85 has no "/" and so cannot end a script element; without "<" it cannot begin a comment in one either.
_SAFE = str.maketrans("<", ",")
MANY = 2**15
"""Tensors of so many numbers or more are stored in fewer bytes."""
Bytes = Literal[2, 3]


def pack(tensors: Mapping[str, np.ndarray], bytes_of_many: Bytes = 2) -> tuple[list[dict[str, Any]], str]:
    """Packs tensors for a page.

    Args:
        tensors: By name, of any floating type.
        bytes_of_many: The bytes of a number where there are many: 2 for float16, 3 for the upper part of float32, which
            a tensor takes as well that goes beyond float16.

    Returns:
        For each tensor its name, shape and bytes per number, in the order of the text; and the text.
    """
    listing, planes = [], []
    for name, tensor in tensors.items():
        width = _width(tensor, bytes_of_many) if tensor.size >= MANY else 4
        planes.append(_bytes(tensor, width).T.tobytes())
        listing.append({"name": name, "shape": list(tensor.shape), "bytes": width})
    # Weights hold no repetitions: looking for them would only cost room.
    return listing, _text(b"".join(planes), zlib.Z_HUFFMAN_ONLY)


def _width(tensor: np.ndarray, wanted: Bytes) -> Bytes:
    return 3 if np.abs(tensor).max() > np.finfo(np.float16).max else wanted


def _bytes(tensor: np.ndarray, width: int) -> np.ndarray:
    """The bytes of each number, the lowest first, shape (numbers, width)."""
    if width == 2:
        return np.ascontiguousarray(tensor, dtype="<f2").reshape(-1).view(np.uint8).reshape(-1, 2)
    bits = np.ascontiguousarray(tensor, dtype="<f4").reshape(-1).view("<u4")
    if width == 3:  # rounded to the nearest, and not cut: half a bit less is lost
        bits = bits + np.uint32(128)
    return np.ascontiguousarray(bits).view(np.uint8).reshape(-1, 4)[:, 4 - width :]


def pack_words(words: tuple[str, ...]) -> str:
    """A vocabulary for a page: the words in their order, one a line."""
    return _text("\n".join(words).encode("utf-8"), zlib.Z_DEFAULT_STRATEGY)


def _text(content: bytes, strategy: int) -> str:
    compressor = zlib.compressobj(9, strategy=strategy)
    compressed = compressor.compress(content) + compressor.flush()
    return base64.b85encode(compressed).decode("ascii").translate(_SAFE)
