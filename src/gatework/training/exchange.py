"""Two processes of one training add their tensors up: through memory that they share on one machine, else by gloo.

Shared memory has no name that could be left behind: the process that writes into it hands it to the one that reads, and
the system takes it back when both have ended, however they end. A socket between the two says when there is something
to read; it breaks at once when one of them is killed.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
import socket
import struct
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
import torch.distributed as distributed
from torch import Tensor

from gatework.training.rows import added, numbers_of, rows_of, values_of

_ALIGNED = 64
"""Bytes that the beginning of each part of a message is a multiple of."""
_MANY_ROWS = 1024
"""Rows from which on a table is looked through for those that are zero."""
_MOST_ROWS = 0.5
"""The share of rows up to which they travel alone."""
_WHOLE = -1
"""The number of rows of a tensor that travels whole."""
_PATIENCE = 1800.0
"""Seconds to wait for the other process, as gloo waits."""
_SIZE, _RANK, _READ = struct.Struct("<q"), struct.Struct("<i"), b"\1"


class Pair(Protocol):
    """This process and another one."""

    def added_up(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The sums of this process's tensors and the other's, of the same shapes; the tensors may be overwritten.

        Both compute the same sums, at the same time. Of a large table only rows that are other than zero travel.

        Raises:
            OSError: The other process has ended.
            RuntimeError: Likewise.
        """
        ...


class SharedMemory:
    """Memory that this process writes into and others of the same machine read, as large as its largest message."""

    def __init__(self) -> None:
        self.file = os.memfd_create("gatework")
        self.bytes = torch.empty(0, dtype=torch.uint8)
        self._reader: socket.socket | None = None

    def write(self, tensors: Sequence[Tensor], reader: socket.socket) -> None:
        """Puts tensors there and tells a reader, as soon as the one before has read what is there."""
        parts = _parts(tensors)
        size = _size(parts)
        if self._reader is not None:
            _received(self._reader, len(_READ))
        if size > len(self.bytes):
            os.ftruncate(self.file, 2 * size)  # what is not written to takes no memory
            self.bytes = _mapped(self.file)
        _put(parts, self.bytes)
        reader.sendall(_SIZE.pack(size))
        self._reader = reader


class ThroughMemory:
    """A pair with a process of the same machine.

    Args:
        mine: The memory that this process writes into.
        other: The socket to the other process.
    """

    def __init__(self, mine: SharedMemory, other: socket.socket) -> None:
        self._mine, self._other = mine, other
        socket.send_fds(other, [_READ], [mine.file])
        _, (self._file, *_), *_ = socket.recv_fds(other, len(_READ), 1)
        self._bytes = torch.empty(0, dtype=torch.uint8)

    def added_up(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """As `Pair` says."""
        self._mine.write(tensors, self._other)
        (size,) = _SIZE.unpack(_received(self._other, _SIZE.size))
        if size > len(self._bytes):
            self._bytes = _mapped(self._file)
        sums = _added(tensors, self._bytes)
        with contextlib.suppress(OSError):  # one that has ended since needs not know
            self._other.sendall(_READ)
        return sums


class ThroughGloo:
    """A pair with any process.

    Args:
        other: Its rank.
    """

    def __init__(self, other: int) -> None:
        self._other = other

    def added_up(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """As `Pair` says."""
        parts = _parts(tensors)
        mine = torch.empty(_size(parts), dtype=torch.uint8)
        _put(parts, mine)
        (size,) = self._swapped(torch.tensor([len(mine)]), torch.empty(1, dtype=torch.int64)).tolist()
        return _added(tensors, self._swapped(mine, torch.empty(size, dtype=torch.uint8)))

    def _swapped(self, mine: Tensor, theirs: Tensor) -> Tensor:
        for work in (distributed.isend(mine, self._other), distributed.irecv(theirs, self._other)):
            if work is not None:
                work.wait()
        return theirs


def pairs(rank: int, others: Sequence[int]) -> list[Pair]:
    """A pair with each of some processes, which all processes ask for at once, each two for one another.

    Args:
        rank: Which of the processes this is.
        others: The others.

    Raises:
        RuntimeError: A process has ended.
    """
    reached = _reached(rank, others) if hasattr(os, "memfd_create") else dict[int, socket.socket]()
    if not reached:
        return [ThroughGloo(k) for k in others]
    memory = SharedMemory()
    return [ThroughMemory(memory, reached[k]) if k in reached else ThroughGloo(k) for k in others]


def _reached(rank: int, others: Sequence[int]) -> dict[int, socket.socket]:
    """A socket to each of the others that is on the same machine; every process is a neighbour of as many."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0gatework-{secrets.token_hex(16)}")  # a name that is in no folder
        listener.listen()
        addresses = _said_by_all(listener.getsockname())
        reached = {k: there for k in others if k < rank and (there := _connected(addresses[k], rank))}
        for _ in [met for met in _said_by_all(list(reached)) if rank in met]:
            other, _ = listener.accept()
            other.settimeout(_PATIENCE)
            reached[_RANK.unpack(_received(other, _RANK.size))[0]] = other
    return reached


def _connected(address: bytes, rank: int) -> socket.socket | None:
    """A socket to the process that listens there; None if it is on another machine."""
    other = socket.socket(socket.AF_UNIX)
    other.settimeout(_PATIENCE)
    try:
        other.connect(address)
        other.sendall(_RANK.pack(rank))
    except OSError:
        other.close()
        return None
    return other


def _said_by_all(value: Any) -> list[Any]:
    """What each process says, in their order."""
    everyone: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(everyone, value)
    return everyone


def _received(other: socket.socket, count: int) -> bytes:
    """So many bytes.

    Raises:
        OSError: The other process has ended.
    """
    received = other.recv(count, socket.MSG_WAITALL)
    if len(received) < count:
        raise ConnectionError("the other process has ended")
    return received


def _mapped(file: int) -> Tensor:
    """The whole of a file in memory, as bytes."""
    return torch.frombuffer(mmap.mmap(file, os.fstat(file).st_size), dtype=torch.uint8)


def _parts(tensors: Sequence[Tensor]) -> list[Tensor]:
    """What travels of tensors: how many rows of each come alone, then their numbers and values, or the whole."""
    few = [_few_rows(tensor) for tensor in tensors]
    counts = [_WHOLE if rows is None else len(numbers_of(rows)) for rows in few]
    parts = [torch.tensor(counts, dtype=torch.int64)]
    for tensor, rows in zip(tensors, few, strict=True):
        parts += [tensor] if rows is None else [numbers_of(rows), values_of(rows)]
    return parts


def _few_rows(tensor: Tensor) -> Tensor | None:
    """The rows of a table that are other than zero; None where they are many, or it is no large table."""
    if tensor.is_sparse or tensor.ndim != 2 or len(tensor) < _MANY_ROWS:
        return tensor if tensor.is_sparse else None
    # The bits of whole rows, whose largest numpy finds in half the time that torch takes to compare numbers.
    bits = tensor.numpy().view(f"u{tensor.element_size()}")
    numbers = torch.from_numpy(np.flatnonzero(bits.max(axis=1)))
    return rows_of(numbers, tensor[numbers], tensor) if len(numbers) <= _MOST_ROWS * len(tensor) else None


def _room(part: Tensor) -> int:
    return -(-part.numel() * part.element_size() // _ALIGNED) * _ALIGNED


def _size(parts: Sequence[Tensor]) -> int:
    return sum(map(_room, parts))


def _put(parts: Sequence[Tensor], memory: Tensor) -> None:
    """Writes parts one after the other."""
    at = 0
    for part in parts:
        _part(memory, at, part.shape, part.dtype).copy_(part)
        at += _room(part)


def _added(tensors: Sequence[Tensor], memory: Tensor) -> list[Tensor]:
    """The sums of tensors and those whose parts stand in memory."""
    at, sums = 0, list[Tensor]()

    def part(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        nonlocal at
        view = _part(memory, at, shape, dtype)
        at += _room(view)
        return view

    for tensor, count in zip(tensors, part([len(tensors)], torch.int64).tolist(), strict=True):
        if count == _WHOLE:
            sums.append(added(tensor, part(tensor.shape, tensor.dtype)))
        else:
            numbers = part([count], torch.int64)
            sums.append(added(tensor, rows_of(numbers, part([count, tensor.shape[1]], tensor.dtype), tensor)))
    return sums


def _part(memory: Tensor, at: int, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """A view of memory from a byte on."""
    count = torch.Size(shape).numel()
    return memory[at : at + count * dtype.itemsize].view(dtype).view(shape)
