"""`pack_padded_sequence` and `pad_packed_sequence` in a program that is being exported.

A PackedSequence has as many rows as its lengths add up to, a size that depends on values, which no graph has. While a
model is traced, one holds the padded batch in place of the rows, and the lengths, in the caller's order, in place of
the batch sizes; layers are the only ones to read it in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence


@contextmanager
def traceable() -> Iterator[None]:
    """Packing keeps padded batches within the block."""
    # The code of torch's functions is exchanged, as models have imported the functions themselves.
    exchanged: tuple[tuple[Any, CodeType, Any], ...] = (
        (pack_padded_sequence, _pack.__code__, packed),
        (pad_packed_sequence, _pad.__code__, padded),
    )
    codes = [function.__code__ for function, _, _ in exchanged]
    for function, code, replacement in exchanged:
        function.__dict__["traced"] = replacement
        function.__code__ = code
    try:
        yield
    finally:
        for (function, _, _), code in zip(exchanged, codes, strict=True):
            function.__code__ = code
            del function.__dict__["traced"]


# These run among the names of torch's module, which are its functions'.


def _pack(input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True) -> Any:
    del enforce_sorted  # a layer of ONNX takes any order
    return pack_padded_sequence.__dict__["traced"](input, lengths, batch_first)


def _pad(sequence: Any, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None) -> Any:
    return pad_packed_sequence.__dict__["traced"](sequence, batch_first, padding_value, total_length)


def packed(x: Tensor, lengths: Any, batch_first: bool) -> PackedSequence:
    """A padded batch, shape (time, batch, features) or (batch, time, features), that goes as a packed one."""
    return PackedSequence(x.transpose(0, 1) if batch_first else x, torch.as_tensor(lengths))


def padded(
    sequence: PackedSequence, batch_first: bool, padding_value: float, total_length: int | None
) -> tuple[Tensor, Tensor]:
    """The padded batch again, with all of its steps, in the shape that it had, and the lengths, shape (batch,)."""
    data, lengths = sequence.data, sequence.batch_sizes
    if padding_value:
        is_beyond = torch.arange(data.shape[0]).unsqueeze(1) >= lengths
        data = data.masked_fill(is_beyond.unsqueeze(-1), padding_value)
    if total_length is not None:
        data = pad(data, (0, 0, 0, 0, 0, total_length - data.shape[0]), value=padding_value)
    return data.transpose(0, 1) if batch_first else data, lengths
