"""A folder of text files, one folder per class: `pos/*.txt` and `neg/*.txt`, also below `train/` and `test/`."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import polars as pl

from gatework.data._content import as_utf8, existing, file_content, printable
from gatework.data._listing import files_of
from gatework.data.tables import Table
from gatework.errors import DataError

_UNLABELLED = "unsup"


def read_folder(path: Path) -> tuple[Table, Table | None]:
    """Reads the texts as a table with the columns "text" and "label".

    Args:
        path: The folder. A class folder named "unsup" is left out where it is beside others, as it holds texts without
            a class in the Large Movie Review Dataset.

    Returns:
        All examples and None; or the training examples and the testing ones, where the folder has both.

    Raises:
        DataError: The folder is missing, holds no texts in class folders, or a text is not UTF-8.
    """
    existing(path)
    train, test = path / "train", path / "test"
    if train.is_dir() and test.is_dir():
        return _read(train), _read(test)
    return _read(path), None


def _read(path: Path) -> Table:
    files = files_of(path, "*/*.txt")
    if any(file.parent.name != _UNLABELLED for file in files):
        files = [file for file in files if file.parent.name != _UNLABELLED]
    if not files:
        raise DataError(f"{path} holds no texts: a folder per class with .txt files in it was expected, as pos/1.txt")
    digest, texts = hashlib.sha256(), []
    notes: tuple[str, ...] = ()
    for file in files:
        content = file_content(file)
        digest.update(os.fsencode(file.relative_to(path)) + f"\0{len(content)}\0".encode())
        digest.update(content)
        content, _, said = as_utf8(content, file)
        texts.append(content.decode())
        notes += said
    frame = pl.DataFrame({"text": texts, "label": [printable(file.parent.name) for file in files]})
    where, name = printable(str(path)), printable(path.name)
    return Table(frame, where, name, lambda position: printable(str(files[position])), digest.hexdigest(), notes=notes)
