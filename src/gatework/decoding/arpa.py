r"""n-gram models in the ARPA format, which KenLM, SRILM and most speech recognisers read and write.

A text with base-10 logarithms: `\data\` with the number of n-grams of each order, then a section `\N-grams:` for each,
with a line `log probability, words, log backoff` for each n-gram. `<s>` stands for the beginning of a document.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatework._files import write_text
from gatework.decoding.ngrams import NGramModel
from gatework.errors import DataError, UsageError

BEGIN = "<s>"
_TEN = math.log(10)
# A space that does not break is a letter of a word, as in French.
_BETWEEN = re.compile(r"[ \t]+")


def write_arpa(model: NGramModel, path: Path, words: Sequence[str]) -> None:
    """Writes a model.

    Args:
        model: The model.
        path: The file.
        words: The word of each token, without white space in it.

    Raises:
        UsageError: The words are not one for each token, not all different, or cannot stand in the format.
    """
    if len(words) != model.vocabulary or len(set(words)) != len(words):
        raise UsageError(f"{len(words)} words for {model.vocabulary} tokens, expected a different word for each")
    if wrong := [word for word in words if word == BEGIN or word.split() != [word]]:
        raise UsageError(f"the word {wrong[0]!r} cannot stand in an ARPA file; replace it, its white space above all")
    write_text(path, "\n".join(_lines(model, [*words, BEGIN])) + "\n")


def _lines(model: NGramModel, words: list[str]) -> Iterator[str]:
    arrays = model.arrays()
    sizes = np.diff(arrays["levels"])[1:]
    yield "\\data\\"
    yield from (f"ngram {order}={size}" for order, size in enumerate(sizes, 1))
    probability, backoff = arrays["log_probability"] / _TEN, arrays["log_backoff"] / _TEN
    parents = np.concatenate([[0], np.repeat(np.arange(len(backoff)), arrays["children"])])
    texts: list[str] = [""]
    for order in range(1, len(sizes) + 1):
        yield f"\n\\{order}-grams:"
        for node in range(arrays["levels"][order], arrays["levels"][order + 1]):
            word = words[arrays["tokens"][node]]
            texts.append(f"{texts[parents[node]]} {word}" if order > 1 else word)
            end = f"\t{backoff[node]:.7g}" if node < len(backoff) else ""
            yield f"{probability[node]:.7g}\t{texts[node]}{end}"
    yield "\n\\end\\"


def read_arpa(path: Path) -> tuple[NGramModel, list[str]]:
    """Reads a model, also from a `.gz` file.

    Returns:
        The model, and the word of each token: `<unk>` and `</s>` are words like all others, `<s>` is none.

    Raises:
        DataError: The file is missing or not in the ARPA format; the sentence names the line.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            return _read(file, path)
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise DataError(f"{path} could not be read as an ARPA file: {error}") from None


class _Level:
    """The n-grams of one order as they stand in the file."""

    def __init__(self) -> None:
        self.tokens: list[list[int]] = []
        self.numbers: list[tuple[float, float]] = []


def _read(lines: Iterable[str], path: Path) -> tuple[NGramModel, list[str]]:
    words: dict[str, int] = {}
    levels: list[_Level] = []
    section, is_ended = 0, False
    for row, line in enumerate(lines, 1):
        text = line.strip(" \t\r\n")
        place = f"{path}, line {row}"
        if text == "\\end\\":
            is_ended = True
            break
        if text.startswith("\\") and text.endswith("-grams:"):
            section += 1
            if text != f"\\{section}-grams:":
                raise DataError(f"{place}: {text} stands where \\{section}-grams: was expected")
            levels.append(_Level())
        elif section and text:
            _read_entry(_BETWEEN.split(text), section, levels[-1], words, place)
    if not levels or not is_ended:
        raise DataError(f"{path} is no whole ARPA file: \\1-grams: or \\end\\ is missing")
    begin = words.pop(BEGIN, None)
    if not words:
        raise DataError(f"{path} holds no words")
    return _assembled(levels, begin, len(words), path), list(words)


def _read_entry(fields: list[str], order: int, level: _Level, words: dict[str, int], place: str) -> None:
    numbers = None
    if len(fields) in (order + 1, order + 2):
        with suppress(ValueError):
            numbers = float(fields[0]), float(fields[order + 1]) if len(fields) > order + 1 else 0.0
    if numbers is None or any(map(math.isnan, numbers)) or numbers[0] > 0:
        raise DataError(f"{place}: expected a logarithm, {order} words and perhaps a second logarithm")
    names = fields[1 : order + 1]
    if order == 1:
        if names[0] in words:
            raise DataError(f"{place}: the word {names[0]} stands there twice")
        words[names[0]] = len(words)
    unknown = [name for name in names if name not in words]
    if unknown:
        raise DataError(f"{place}: the word {unknown[0]} is not among the 1-grams")
    level.tokens.append([words[name] for name in names])
    level.numbers.append(numbers)


def _assembled(levels: list[_Level], begin: int | None, vocabulary: int, path: Path) -> NGramModel:
    """The model; the word at the place `begin` becomes the last number, and what predicts it is left out."""
    keys: list[NDArray[np.int64]] = []  # of each level: the node above and the token
    starts, tokens, numbers = [0, 1], [np.zeros(1, np.int64)], [np.zeros((1, 2))]
    for order, level in enumerate(levels, 1):
        grams, values = np.array(level.tokens, np.int64).reshape(-1, order), np.array(level.numbers).reshape(-1, 2)
        if begin is not None:
            grams = np.where(grams == begin, vocabulary, grams - (grams > begin))
        if order == 1:
            if begin is None:
                grams, values = np.append(grams, [[vocabulary]], 0), np.append(values, [[-99.0, 0.0]], 0)
        else:
            is_predicted = grams[:, -1] < vocabulary
            grams, values = grams[is_predicted], values[is_predicted]
        above = np.zeros(len(grams), np.int64)
        for k in range(order - 1):
            wanted = above * (vocabulary + 1) + grams[:, k]
            places = np.searchsorted(keys[k], wanted)
            if (places == len(keys[k])).any() or (keys[k][places] != wanted).any():
                raise DataError(f"{path}: a {order}-gram goes on from a {k + 1}-gram that is not in the file")
            above = starts[k + 1] + places
        key = above * (vocabulary + 1) + grams[:, -1]
        keys.append(np.sort(key))
        if len(np.unique(key)) != len(key):
            raise DataError(f"{path}: a {order}-gram stands there twice")
        by_key = np.argsort(key)
        starts.append(starts[-1] + len(key))
        tokens.append(grams[by_key, -1])
        numbers.append(values[by_key] * _TEN)
    return NGramModel.from_arrays(_arrays(starts, tokens, numbers, keys, vocabulary))


def _arrays(
    starts: list[int],
    tokens: list[NDArray[np.int64]],
    numbers: list[NDArray[np.float64]],
    keys: list[NDArray[np.int64]],
    vocabulary: int,
) -> dict[str, NDArray[Any]]:
    contexts = starts[-2]
    parents = np.concatenate(keys) // (vocabulary + 1)
    values = np.concatenate(numbers).astype(np.float32)
    return {
        "levels": np.array(starts, np.int64),
        "tokens": np.concatenate(tokens),
        "children": np.bincount(parents, minlength=contexts),
        "log_probability": values[:, 0],
        "log_backoff": values[:contexts, 1],
    }
