"""A glossary: terms with the translations that they must have."""

from __future__ import annotations

from collections.abc import Mapping

from gatework.data.reading import Reading
from gatework.data.subwords import PLACEHOLDERS
from gatework.data.tables import SUFFIXES, Table, read_table
from gatework.errors import DataError, UsageError

_COLUMNS = ("source", "target")
_LONGEST = 200


def read_glossary(file: str | None, columns: tuple[str, str] = _COLUMNS) -> dict[str, str]:
    """Reads a table with a term and its translation in each row.

    Args:
        file: Its path; None for a glossary without terms.
        columns: The names of both sides in the training data, which its columns may have too.

    Raises:
        UsageError: The file is no table.
        DataError: The file is missing, or a row is no term with its translation.
    """
    if file is None:
        return {}
    if not file.lower().removesuffix(".gz").endswith(SUFFIXES):
        raise UsageError(f'the glossary "{file}" is no table; a file such as terms.csv was expected')
    table = read_table(file, Reading())
    names = next((pair for pair in (_COLUMNS, columns) if set(pair) <= set(table.frame.columns)), None)
    if names is None:
        raise DataError(
            f"{table.where} has the columns {', '.join(table.frame.columns)}; a glossary needs a first line that names "
            '"source" and "target"'
        )
    return _terms(table, *(table.texts(name).to_list() for name in names))


def _terms(table: Table, sources: list[str], targets: list[str]) -> dict[str, str]:
    terms: dict[str, str] = {}
    for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
        term, said = (" ".join(side.split()) for side in (source, target))
        where = f"{table.where}, {table.row(row)}"
        if not term or not said:
            raise DataError(
                f"{where}: the {'source' if not term else 'target'} is empty; give both sides of every term"
            )
        if max(len(term), len(said)) > _LONGEST:
            raise DataError(
                f"{where}: a term has {max(len(term), len(said)):,} characters, at most {_LONGEST} are taken"
            )
        if set(term + said) & set(PLACEHOLDERS):
            raise DataError(f"{where}: the term holds a character for private use (U+E000 to U+E00F); leave it out")
        if terms.get(term, said) != said:
            raise DataError(f'{where}: "{term}" is "{terms[term]}" in a row before and "{said}" here; keep one of them')
        terms[term] = said
    if not terms:
        raise DataError(f"{table.where} holds no term; a row with source and target for each was expected")
    return terms


def together(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    """The terms of two glossaries; of a term in both as the second says."""
    return {**first, **second}
