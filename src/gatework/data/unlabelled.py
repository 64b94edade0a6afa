"""Texts without labels to learn a language from: a file of lines, a folder, a table's column, or a data set's own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from gatework.data._content import as_utf8, existing, file_content, lines_of, printable
from gatework.data._listing import files_of
from gatework.data.known_lines import bare
from gatework.data.own import text_column
from gatework.data.reading import Reading
from gatework.data.sets import REGISTRY
from gatework.data.tables import SUFFIXES, Table, read_table
from gatework.data.text import Texts
from gatework.errors import DataError, UsageError

if TYPE_CHECKING:
    from gatework.options import DataOptions


class Unlabelled(NamedTuple):
    """Texts without labels.

    Attributes:
        texts: The texts, none twice.
        fingerprint: SHA-256 of what they were read from.
        notes: What was left out and why, one sentence each.
    """

    texts: Texts
    fingerprint: str
    notes: tuple[str, ...]


def read_unlabelled(
    source: str | os.PathLike[str], config: DataOptions, learnt: Texts, held: Sequence[Texts]
) -> Unlabelled:
    """Reads texts without labels, and leaves out those that are held back for validation or testing.

    Args:
        source: A registered data set that has such texts; a `.txt` file with a text on each line; a folder of `.txt`
            files, a text in each; or a table, whose column is `config.text` where it has that, else its only texts.
        config: The column of the texts, and how a table is written.
        learnt: The labelled texts of the training part, which are learnt from anyway.
        held: The texts that nothing may be learnt from: one that equals such a text but for case, punctuation and
            spaces is left out.

    Raises:
        UsageError: The data set has no such texts, or a column must be named.
        DataError: It cannot be read, or holds no texts.
    """
    texts, where, fingerprint = _read(source, config)
    strings = texts.strings
    plain = bare(strings)
    is_text = plain != ""
    kept_from = pl.concat([plain[:0], *(bare(each.strings) for each in held)])
    is_held = is_text & plain.is_in(kept_from.implode())
    is_again = is_text & ~is_held & (~plain.is_first_distinct() | plain.is_in(bare(learnt.strings).implode()))
    if not is_text.any():
        raise DataError(f"{where} holds no texts to learn from; give a file, a folder or a table with some")
    reasons = (
        (is_held, "also stand among the texts that are held back"),
        (is_again, "stand there, or among those with labels, already"),
    )
    notes = tuple(
        f"{int(chosen.sum()):,} of the {len(strings):,} texts without labels {why} and were left out."
        for chosen, why in reasons
        if chosen.any()
    )
    kept = (is_text & ~is_held & ~is_again).to_numpy()
    return Unlabelled(texts[np.flatnonzero(kept)], fingerprint, notes)


def _read(source: str | os.PathLike[str], config: DataOptions) -> tuple[Texts, str, str]:
    """The texts, where they stand, and the fingerprint."""
    if isinstance(source, str) and source in REGISTRY:
        spec = REGISTRY[source]
        if spec.unlabelled is None:
            raise UsageError(f'the data set "{source}" has no texts without labels; name a file of texts')
        return spec.unlabelled(), source, hashlib.sha256(source.encode()).hexdigest()
    path = existing(Path(source))
    if path.is_dir():
        files = files_of(path, "**/*.txt")
        texts = [_text(file) for file in files]
        where = f"{printable(str(path))} (files that end with .txt)"
        return Texts.of(texts), where, _digest("\0".join(texts))
    if path.name.lower().removesuffix(".gz").endswith(SUFFIXES):
        table = read_table(path, Reading.given(config))
        return Texts(table.texts(_column(table, config))), table.where, table.fingerprint
    text = _text(path)
    return Texts.of(lines_of(text)), printable(str(path)), _digest(text)


def _column(table: Table, config: DataOptions) -> str:
    """The column of the texts: that of the labelled ones where the table has it."""
    named = {name: value for name in ("text", "label") if (value := getattr(config, name)) in table.frame.columns}
    return text_column(table, replace(config, **{"text": None, "label": None, "target": None, **named}))


def _text(path: Path) -> str:
    return as_utf8(file_content(path), path)[0].decode()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
