"""Small pictures of numbers for a notebook: a coloured point each, as a PNG that stands within the page."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

from gatework.pages.palette import OPENING, SIGNED


def heat(values: np.ndarray, *, is_signed: bool) -> str:
    """A table of numbers as the address of a picture.

    Args:
        values: Shape (rows, columns).
        is_signed: Whether they may be negative, rust to blue about zero; else they are of a gate, white to blue.
    """
    bound = max(float(np.abs(values).max(initial=0)), 1e-30)
    shares = values / (2 * bound) + 0.5 if is_signed else values
    places, colours = zip(*(SIGNED if is_signed else OPENING), strict=True)
    bands = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in colours], dtype=np.float64)
    points = np.stack([np.interp(shares, places, band) for band in bands.T], axis=-1).round().astype(np.uint8)
    return f"data:image/png;base64,{base64.b64encode(_png(points)).decode()}"


def _png(points: np.ndarray) -> bytes:
    """Points of red, green and blue, shape (rows, columns, 3), as a PNG file."""
    rows, columns, _ = points.shape
    # Each row begins with the number of its filter: none.
    lines = np.concatenate([np.zeros((rows, 1), np.uint8), points.reshape(rows, -1)], axis=1).tobytes()
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in parts
    )
