"""Which texts stand among the lines of others, but for case, punctuation and spaces; lines are kept as numbers."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl


def bare(strings: pl.Series) -> pl.Series:
    """The letters and digits of texts in lower case, with one space between words."""
    return strings.fill_null("").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()


def line_keys(texts: pl.Series) -> np.ndarray:
    """A number for each different line of texts that has a letter or a digit, sorted, shape (lines,), int64."""
    return np.unique(_keys(bare(texts.fill_null("").str.split("\n").explode())))


def is_known(texts: pl.Series, keys: np.ndarray) -> np.ndarray:
    """Whether all lines of each text, but for empty ones, are among those with these numbers, shape (texts,).

    A text without a letter or a digit is not.

    Args:
        texts: The texts.
        keys: As `line_keys()` gives them.
    """
    lists = texts.fill_null("").str.split("\n")
    owner = np.repeat(np.arange(len(texts)), lists.list.len().to_numpy())
    lines = bare(lists.explode())
    owner = owner[(lines != "").to_numpy()]
    lines_of = np.bincount(owner, minlength=len(texts))
    known = np.bincount(owner[np.isin(_keys(lines), keys)], minlength=len(texts))
    result: np.ndarray = (lines_of > 0) & (known == lines_of)
    return result


def _keys(lines: pl.Series) -> np.ndarray:
    """A number for each line that is not empty; it is the same on every machine."""
    digests = (hashlib.blake2b(line.encode(), digest_size=8).digest() for line in lines if line)
    return np.frombuffer(b"".join(digests), dtype="<i8").astype(np.int64)
