"""Arrays on disk: written from start to end, read row by row from anywhere.

A store is a folder with one file per array, the raw numbers in the machine's order of bytes, and `store.json`, which is
written last: what the arrays are, how many numbers each has, and the SHA-256 of each.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gatework._files import cache_folder, folder_of, is_occupied, read_json, whole_folder, write_json
from gatework.data.stretches import stretches
from gatework.data.tokens import spans
from gatework.data.turns import in_turn
from gatework.errors import DataError, UsageError

INDEX = "store.json"
"""The file that says what a store holds."""
_VERSION = 2
_BLOCK = 1 << 22
_MOST = 1 << 30
_MAPPED = 1 << 28
_SEEKING = threading.Lock()


class ArrayWriter:
    """An array that grows at its end.

    Args:
        path: The file.
        dtype: The element type.
        width: The numbers of a row; 0 where a row is one number, not an array of one.
        is_kept: Whether it stays; what is read but once, by who wrote it, needs no checksum.
    """

    def __init__(self, path: Path, dtype: Any, width: int = 0, *, is_kept: bool = True) -> None:
        self.dtype, self.width, self.rows = np.dtype(dtype), width, 0
        self._file: BinaryIO = path.open("wb")
        weakref.finalize(self, self._file.close)
        self._digest = hashlib.sha256() if is_kept else None

    def append(self, rows: np.ndarray) -> None:
        """Adds rows, shape (rows, ...), at the end."""
        content = np.ascontiguousarray(rows, dtype=self.dtype).data
        self._file.write(content)
        if self._digest is not None:
            self._digest.update(content)
        self.rows += len(rows)

    def finish(self) -> dict[str, Any]:
        """Closes the file; what `store.json` says of it."""
        self._file.close()
        return {
            "dtype": self.dtype.name,
            "width": self.width,
            "rows": self.rows,
            "sha256": self._digest.hexdigest() if self._digest is not None else "",
        }


def write_index(folder: Path, about: dict[str, Any], arrays: dict[str, dict[str, Any]]) -> None:
    """Writes what a store holds, its tables among it; from then on it is complete."""
    tables = {file.name: _digest(file) for file in sorted(folder.glob("*.parquet"))}
    kind = {"version": _VERSION, "byteorder": sys.byteorder}
    write_json(folder / INDEX, {**kind, **about, "tables": tables, "arrays": arrays})


def _digest(file: Path) -> str:
    """SHA-256 of a file.

    Raises:
        DataError: It cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with file.open("rb") as content:
            while block := content.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}; remove its folder to pack anew") from None
    return digest.hexdigest()


def _read_at(file: int, size: int, place: int) -> bytes:
    """What `os.pread` does, where there is none."""
    with _SEEKING:
        os.lseek(file, place, os.SEEK_SET)
        return os.read(file, size)


@dataclass(frozen=True)
class StoredArray:
    """An array on disk, of which what is asked for is copied into memory.

    A file of up to 256 MB is mapped. A larger one is read: mapped pages count as this process's memory, and the fault
    that brings in a page costs more than the call that copies a row. Giving pages back after each read does not bound
    that memory: one fault maps up to 2 MB, so that 1,600 windows hold the whole of a file of 1.7 GB; and of small pages
    alone they take four times as long as calls.

    Attributes:
        path: The file.
        dtype: The element type.
        width: The numbers of a row; 0 where a row is one number.
        rows: How many rows there are.
        sha256: Of the content, in hexadecimal.
    """

    path: Path
    dtype: str
    width: int
    rows: int
    sha256: str

    def __len__(self) -> int:
        return self.rows

    def __getstate__(self) -> dict[str, Any]:
        # Another process opens the file itself.
        return {name: value for name, value in self.__dict__.items() if name not in ("_file", "_mapped")}

    @cached_property
    def _file(self) -> int:
        file = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        weakref.finalize(self, os.close, file)
        return file

    @cached_property
    def size(self) -> int:
        """The bytes of a row."""
        return np.dtype(self.dtype).itemsize * max(self.width, 1)

    @property
    def _read(self) -> Callable[[int, int, int], bytes]:
        """What reads bytes of a file, given their number and their place."""
        return os.pread if hasattr(os, "pread") else _read_at

    @cached_property
    def _mapped(self) -> np.ndarray | None:
        """All of it, where it is mapped: a call of the system for each row costs more."""
        if not 0 < self.rows * self.size <= _MAPPED:
            return None
        mapped = np.memmap(self.path, self.dtype, "r", shape=(self.rows, self.width) if self.width else (self.rows,))
        return mapped.view(np.ndarray)

    def _array(self, content: bytes) -> np.ndarray:
        rows = np.frombuffer(content, dtype=self.dtype)
        return rows.reshape(-1, self.width) if self.width else rows

    def __getitem__(self, index: np.ndarray | slice) -> np.ndarray:
        """The rows at these positions, or those of a slice without steps."""
        if isinstance(index, slice):
            first, last, _ = index.indices(self.rows)
            return self.spans(np.array([first]), np.array([max(last - first, 0)]))
        if self._mapped is not None:
            # For rows of few numbers numpy's indexing takes several times as long.
            return self._mapped.take(index, axis=0)
        file, size, read = self._file, self.size, self._read
        return self._array(b"".join([read(file, size, place) for place in (index * size).tolist()]))

    def spans(self, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """The rows `start, start + 1, ...` of every span, one span after the other.

        Args:
            starts: The first row of each span, shape (spans,).
            lengths: The rows in each span, shape (spans,).
        """
        if self._mapped is not None and len(lengths):
            steps = int(lengths.max())
            if steps and lengths.min() == steps:
                return stretches(self._mapped, steps)[starts].reshape(-1, *self._mapped.shape[1:])
            return self._mapped.take(spans(starts, lengths), axis=0)
        places, sizes = (starts * self.size).tolist(), (lengths * self.size).tolist()
        file, read = self._file, self._read
        if max(sizes, default=0) <= _MOST:
            return self._array(b"".join([read(file, size, place) for place, size in zip(places, sizes, strict=True)]))
        pieces = []
        for place, size in zip(places, sizes, strict=True):
            # One call gives up to 2 GB.
            pieces += [read(file, min(size - k, _MOST), place + k) for k in range(0, size, _MOST)]
        return self._array(b"".join(pieces))


@dataclass(frozen=True)
class Store:
    """A folder of arrays, complete.

    Attributes:
        folder: The folder.
        about: What `store.json` says besides of the arrays.
        arrays: The arrays by name.
    """

    folder: Path
    about: dict[str, Any]
    arrays: dict[str, StoredArray]

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Opens a store.

        Raises:
            DataError: It is of another version or machine, or a file is missing or of another size.
        """
        about = read_json(folder / INDEX)
        kind = (about.get("version"), about.get("byteorder"))
        if kind != (_VERSION, sys.byteorder):
            raise DataError(f"{folder} is a store of another version or machine; remove it to pack anew")
        arrays = {name: StoredArray(folder / f"{name}.bin", **each) for name, each in about.pop("arrays").items()}
        for array in arrays.values():
            size = array.rows * max(array.width, 1) * np.dtype(array.dtype).itemsize
            if not array.path.is_file() or array.path.stat().st_size != size:
                raise DataError(f"{array.path} is missing or not complete; remove its folder to pack anew")
        return cls(folder, about, arrays)

    @classmethod
    def kept(cls, named: str | None, key: str, write: Callable[[Path], None], of: str) -> Store:
        """Opens the store of a source, which is written now where it has not been.

        Args:
            named: The folder that a person named; one in the cache if None.
            key: What tells the source and its settings from others; the store says it as "key".
            write: Writes the store into a folder.
            of: What it is of, as "texts".

        Raises:
            UsageError: The folder holds something else.
            DataError: The store is damaged, of another version, or cannot be written.
        """
        folder = Path(named) if named else cache_folder() / "stores" / key[:24]
        with folder_of(folder), in_turn(folder):
            is_new = not (folder / INDEX).is_file()
            if is_new:
                if is_occupied(folder):
                    raise UsageError(f"{folder} exists and holds no store; name another folder with --store")
                try:
                    with whole_folder(folder) as temporary:
                        write(temporary)
                except OSError as error:
                    if error.filename is not None:
                        raise
                    # A full disk does not say which file it is.
                    reason = (error.strerror or str(error)).lower()
                    raise DataError(f"{folder} cannot be written: {reason}; name another folder with --store") from None
        store = cls.open(folder)
        if store.about["key"] != key:
            raise UsageError(
                f"{folder} is a store of other {of} or other settings of data than these; remove it to pack anew, or "
                "name another folder with --store"
            )
        if not is_new:
            store.check()
        return store

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all content, from the checksums."""
        return hashlib.sha256(repr(sorted(self._digests.items())).encode()).hexdigest()

    @property
    def _digests(self) -> dict[str, str]:
        return {array.path.name: array.sha256 for array in self.arrays.values()} | self.about["tables"]

    def check(self) -> None:
        """Compares every file with its checksum.

        Raises:
            DataError: One is not what was written.
        """
        for name, digest in self._digests.items():
            if _digest(self.folder / name) != digest:
                raise DataError(f"{self.folder / name} is damaged: it has another checksum; remove {self.folder}")
