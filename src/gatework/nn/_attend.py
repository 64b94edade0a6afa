"""Attention of queries of different numbers on the native kernels: no place that does not exist is computed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gatework import _native
from gatework.nn._target_rows import TargetRows
from gatework.nn.softmax._blocks import refuse_many_derivatives, refuse_second_derivative
from gatework.scan.isa import active_isa


def contexts(queries: Tensor, keys: Tensor, values: Tensor, pieces: TargetRows, lengths: Tensor | None) -> Tensor:
    """The mean of its memory's values for each query, weighted by the softmax of its products with the keys.

    Args:
        queries: Shape (rows, query), float32 on the CPU, as are the two that follow.
        keys: Shape (batch, source, query).
        values: Shape (batch, source, memory).
        pieces: Which row looks at which memory.
        lengths: Places of each memory, shape (batch,), int64, at least 1; None if all have every place.
    """
    if lengths is None:
        lengths = torch.full((len(keys),), keys.shape[1])
    result: Tensor = _Attend.apply(queries.contiguous(), keys.contiguous(), values.contiguous(), pieces, lengths)
    return result


class _Attend(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, queries: Tensor, keys: Tensor, values: Tensor, pieces: TargetRows, lengths: Tensor) -> Tensor:
        result = queries.new_empty(len(queries), values.shape[2])
        weights = queries.new_empty(len(queries), keys.shape[1])
        ctx.pieces, ctx.lengths = pieces, lengths
        ctx.save_for_backward(queries, keys, values, weights)
        _native.attend(*_given(queries, keys, values, weights, pieces, lengths), result.data_ptr())
        return result

    @staticmethod
    def backward(ctx: Any, d_contexts: Tensor) -> tuple[Tensor | None, ...]:
        refuse_second_derivative("attention over rows")
        refuse_many_derivatives("attention over rows", d_contexts)
        queries, keys, values, weights = ctx.saved_tensors
        d_contexts, d_scores = d_contexts.contiguous(), torch.empty_like(weights)
        gradients = [torch.empty_like(t) for t in (queries, keys, values)]
        _native.attend_backward(
            *_given(queries, keys, values, weights, ctx.pieces, ctx.lengths),
            [t.data_ptr() for t in (d_contexts, d_scores, *gradients)],
        )
        return *gradients, None, None


def _given(
    queries: Tensor, keys: Tensor, values: Tensor, weights: Tensor, pieces: TargetRows, lengths: Tensor
) -> tuple[int, int, list[int], list[int]]:
    """What both calls begin with; the tensors must stay until they have run."""
    tensors = (pieces.starts, pieces.rows, lengths, queries, keys, values, weights)
    sizes = [len(keys), keys.shape[1], queries.shape[1], values.shape[2]]
    return (
        _native.ISAS.index(active_isa()),
        torch.get_num_threads(),
        sizes,
        [t.data_ptr() for t in tensors],
    )
