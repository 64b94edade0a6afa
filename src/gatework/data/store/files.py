"""Arrays on disk: written from start to end, read by mapping them into memory.

A store is a folder with one file per array, the raw numbers in the machine's order of bytes, and `store.json`, which is
written last: what the arrays are, how many numbers each has, and the SHA-256 of each.
"""

from __future__ import annotations

import hashlib
import mmap
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gatework._files import read_json, write_json
from gatework.errors import DataError

INDEX = "store.json"
"""The file that says what a store holds."""
_VERSION = 1
_BLOCK = 1 << 22
_PLACES_HELD = 2048
"""After so many places, with each of which the system maps up to 64 kB, the memory is given back."""


class ArrayWriter:
    """An array that grows at its end.

    Args:
        path: The file.
        dtype: The element type.
        width: The numbers of a row; 0 where a row is one number, not an array of one.
    """

    def __init__(self, path: Path, dtype: Any, width: int = 0) -> None:
        self.dtype, self.width, self.rows = np.dtype(dtype), width, 0
        self._file: BinaryIO = path.open("wb")
        self._digest = hashlib.sha256()

    def append(self, rows: np.ndarray) -> None:
        """Adds rows at the end."""
        content = np.ascontiguousarray(rows, dtype=self.dtype).data
        self._file.write(content)
        self._digest.update(content)
        self.rows += len(rows)

    def finish(self) -> dict[str, Any]:
        """Closes the file; what `store.json` says of it."""
        self._file.close()
        return {
            "dtype": self.dtype.name,
            "width": self.width,
            "rows": self.rows,
            "sha256": self._digest.hexdigest(),
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


@dataclass(frozen=True)
class StoredArray:
    """An array on disk, of which what is asked for is copied into memory.

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
    _fetched: list[int] = field(default_factory=lambda: [0], repr=False, compare=False)

    def __len__(self) -> int:
        return self.rows

    def __getstate__(self) -> dict[str, Any]:
        # Another process maps the file itself.
        return {name: value for name, value in self.__dict__.items() if name not in ("_pages", "_whole")}

    @cached_property
    def _pages(self) -> mmap.mmap:
        with self.path.open("rb") as file:
            pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if hasattr(mmap, "MADV_RANDOM"):
            pages.madvise(mmap.MADV_RANDOM)
        return pages

    @cached_property
    def _whole(self) -> np.ndarray:
        shape = (self.rows, self.width) if self.width else (self.rows,)
        if not self.rows:
            return np.zeros(shape, self.dtype)
        return np.frombuffer(self._pages, dtype=self.dtype).reshape(shape)

    def __getitem__(self, index: np.ndarray | slice) -> np.ndarray:
        """The rows at these positions, a copy: nothing of the file stays in this process's memory for long."""
        return self.fetched(index)

    def fetched(self, index: np.ndarray | slice, places: int = 0) -> np.ndarray:
        """The rows at these positions, a copy.

        Args:
            index: The positions.
            places: At how many places they lie; each at its own where it is 0.
        """
        taken: np.ndarray = np.array(self._whole[index])
        self._fetched[0] += places or len(taken)
        if self._fetched[0] >= _PLACES_HELD:
            self.forget()
        return taken

    def forget(self) -> None:
        """Gives back the memory that the file is mapped to; the system may keep its content at hand."""
        self._fetched[0] = 0
        if self.rows and hasattr(mmap, "MADV_DONTNEED"):
            self._pages.madvise(mmap.MADV_DONTNEED)


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
