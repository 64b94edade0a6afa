"""Rows below a table that are none of it: where it comes from, when it was written, notes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import polars as pl

from gatework.data.numbers import MISSING_WORDS, number_marks, parsed_numbers
from gatework.data.reading import Reading
from gatework.data.time_formats import are_times

_WORDS = re.compile(
    r"(?i)\W*(?:(?:data )?sources?|quellen?|fuentes?|fonte|bron|source des donn[ée]es|generated|created|exported|"
    r"printed|downloaded|produced|erstellt|erzeugt|exportiert|stand|g[ée]n[ée]r[ée]|notes?|hinweise?|anmerkung(?:en)?|remarks?|"
    r"footnotes?|copyright|\(c\)|©|disclaimer|licen[cs]e|last updated?|as of|end of|eof|report|page \d|n ?=|"
    r"(?:total |[\d,.]+ )?(?:rows?|records)\b|\(\d[\d,.]* rows?|https?://|completion time)|[*†‡]|[-=_]{2,}$"
)
_MOST_ROWS, _LOOKED_AT = 50, 200
_LETTER = re.compile(r"[^\W\d_]|^[-=_*+]{2,}$")


def holds(column: pl.Series) -> str:
    """What the fields of a column are: "numbers", "times", or "" where they are texts or some of each."""
    present = column.filter(~column.is_in(list(MISSING_WORDS))).drop_nulls()
    if present.is_empty():
        return ""
    if not parsed_numbers(present, number_marks([present], Reading())[0]).null_count():
        return "numbers"
    return "times" if are_times(present) else ""


def footers_at_end(frame: pl.DataFrame, numbers: np.ndarray) -> int:
    """How many of the last rows are footers: only their first field is filled, and not as those above them.

    Where times or numbers stand above, it is neither. Where texts do, an empty row stands before the footers or they
    begin with a word as "Source:", and another column is filled in every row above them.

    Args:
        frame: The rows of a text file.
        numbers: The number of each, shape (rows,); one is missing where an empty row stood.
    """
    last = frame.tail(_MOST_ROWS + 1).rows()
    count = next((k for k, fields in enumerate(reversed(last)) if not _is_alone(fields)), len(last))
    if not count or count == len(last) or frame.width < 2:
        return 0
    texts, above = [str(fields[0]) for fields in last[-count:]], frame[:-count]
    first = above.to_series(0).tail(_LOOKED_AT)
    if holds(first):
        return next((k for k, text in enumerate(reversed(texts)) if not are_footers([text], first)), count)
    if all(column.null_count() for column in above[:, 1:].iter_columns()):
        return 0
    is_behind_gap = np.diff(numbers[-count - 1 :]) > 1
    begins = next((k for k, text in enumerate(texts) if is_behind_gap[k] or _WORDS.match(text)), count)
    return count - begins


def are_footers(texts: Sequence[str], above: pl.Series) -> bool:
    """Whether texts stand where times or numbers stand above them, and are neither, or begin as footers do.

    Args:
        texts: The first fields of the last rows.
        above: The first fields of rows above them.
    """
    kind = holds(above.tail(_LOOKED_AT))
    return all(_are_words(kind, text) if kind else _WORDS.match(text) for text in texts)


def _is_alone(fields: Sequence[str | None]) -> bool:
    """Whether only the first field of a row is filled."""
    return bool(fields[0] and fields[0].strip()) and not any(field and field.strip() for field in fields[1:])


def _are_words(kind: str, text: str) -> bool:
    """Whether a field is neither of this kind nor anything that stands for a missing one."""
    text = text.strip()
    return text not in MISSING_WORDS and bool(_LETTER.search(text)) and holds(pl.Series([text])) != kind
