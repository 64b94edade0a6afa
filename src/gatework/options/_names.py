"""Names of columns, as a person gives them: one, several separated by commas, or a list."""

from __future__ import annotations

import difflib
from collections.abc import Collection

Names = str | tuple[str, ...] | None


def column_names(given: Names, columns: Collection[str]) -> tuple[str, ...]:
    """The columns that are meant.

    Args:
        given: What a person gave.
        columns: The columns of the table: what is one of them as it stands is never split at its commas.
    """
    return tuple(name for item in as_list(given) for name in _split(item, columns))


def as_list(given: Names) -> tuple[str, ...]:
    """What was given as a list."""
    return () if given is None else (given,) if isinstance(given, str) else tuple(given)


def _split(text: str, columns: Collection[str]) -> tuple[str, ...]:
    if text in columns:
        return (text,)
    parts = tuple(part.strip() for part in text.split(",") if part.strip())
    if all(part in columns for part in parts) or not difflib.get_close_matches(text, columns, n=1, cutoff=0.8):
        return parts
    return (text,)  # a column whose own name has a comma, mistyped
