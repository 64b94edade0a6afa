"""Gradients of tables of word vectors by rows: a batch moves the vectors of its own words alone.

Such a gradient is a sparse tensor of torch whose rows are in order and each there once. To sum, scale and exchange the
rows of a thousand words takes a small part of what their whole table takes, and comes to the same digits.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gatework import _training
from gatework.nn.model import SequenceModel

# What is asked for below, to check nothing, torch 2.11 warns of all the same.
warnings.filterwarnings("ignore", message="Sparse invariant checks are implicitly disabled")

LARGE = 1 << 18
"""Elements from which on a table's gradient is one of rows; to zero and scale a smaller one takes next to nothing."""


def learn_by_rows(model: nn.Module, *, is_on: bool = True) -> list[nn.Embedding]:
    """Lets the backward pass give the gradients of large tables by rows, or as others again; those tables.

    They are the tables that a network reads and does not answer with. `torch.optim` has optimisers that take no such
    gradients, so a network that was trained gives them no longer.
    """
    tables = list[nn.Embedding]()
    for part in model.modules():
        words = part.embedding if isinstance(part, SequenceModel) else None
        if words is not None and words.weight.numel() >= LARGE and words.weight.dtype == torch.float32:
            words.sparse = is_on
            tables.append(words)
    return tables


def rows_of(numbers: Tensor, values: Tensor, table: Tensor) -> Tensor:
    """The gradient of a table.

    Args:
        numbers: The rows, in order and each once, shape (rows,), int64.
        values: What stands there, shape (rows, columns).
        table: The table.
    """
    return torch.sparse_coo_tensor(numbers[None], values, table.shape, is_coalesced=True, check_invariants=False)


def no_rows(table: Tensor) -> Tensor:
    """The gradient of a table that nothing was read from."""
    return rows_of(torch.zeros(0, dtype=torch.int64), table.new_zeros(0, table.shape[1]), table)


def numbers_of(gradient: Tensor) -> Tensor:
    """The rows that a table's gradient has, shape (rows,)."""
    return gradient._indices()[0]


def values_of(gradient: Tensor) -> Tensor:
    """What stands in the rows of a table's gradient, shape (rows, columns); another gradient as it is."""
    return gradient._values() if gradient.is_sparse else gradient


def summed(gradients: Sequence[Tensor]) -> Tensor:
    """One gradient from gradients of the same table whose rows may come in any order and more than once.

    The values of a row are added in the order in which they come, as torch adds up a whole table's.
    """
    table = gradients[0]
    read = torch.cat([numbers_of(gradient) for gradient in gradients])
    values = [values_of(gradient).contiguous() for gradient in gradients]
    most, columns = min(len(read), len(table)), table.shape[1]
    numbers, sums = torch.empty(len(read), dtype=torch.int64), values[0].new_empty(most, columns)
    parts = [(part.data_ptr(), len(part)) for part in values]
    count = _training.add_up_rows(read.data_ptr(), parts, len(table), columns, numbers.data_ptr(), sums.data_ptr())
    return rows_of(numbers[:count], sums[:count], table)


def added(gradient: Tensor, other: Tensor) -> Tensor:
    """The sum of two gradients of the same tensor, where it can in the place of the first."""
    if gradient.is_sparse:
        return summed([gradient, other])
    if other.is_sparse:
        return gradient.index_add_(0, numbers_of(other), values_of(other))  # zeros elsewhere change no digit
    return gradient.add_(other)
