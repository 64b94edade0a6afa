"""The derivative of the backward pass, through the reference."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gatework.cells import CellSpec
from gatework.scan import reference
from gatework.scan.reference import ScanWeights


def differentiable(
    results: Sequence[Tensor],
    derivatives: Sequence[Tensor | None],
    inputs: Sequence[Tensor | None],
    needs: Sequence[bool],
) -> list[Tensor | None]:
    """The gradients of the inputs, which have derivatives themselves; None where one is not needed or not there.

    Args:
        results: What was computed from the inputs, with its graph.
        derivatives: The derivative for each result, None where it is zero.
        inputs: The ends of that graph.
        needs: Which gradients are wanted.
    """
    seen = [(y, d) for y, d in zip(results, derivatives, strict=True) if d is not None and y.requires_grad]
    wanted = [t for t, need in zip(inputs, needs, strict=True) if need and t is not None]
    found = iter(
        torch.autograd.grad([y for y, _ in seen], wanted, [d for _, d in seen], create_graph=True, allow_unused=True)
    )
    return [next(found) if need and t is not None else None for t, need in zip(inputs, needs, strict=True)]


def of_gradients(
    spec: CellSpec,
    d_output: Tensor | None,
    d_finals: Sequence[Tensor],
    inputs: Sequence[Tensor | None],
    batch_sizes: Tensor | None,
    reverse: bool,
    needs: Sequence[bool],
    d_gradients: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """What d_output, the d_finals and the inputs receive when the gradients of the inputs receive `d_gradients`.

    The reference is run and differentiated twice, so this can itself be differentiated.
    """
    create_graph = torch.is_grad_enabled()
    with torch.enable_grad():
        # Views are new ends of the graph: what d_output itself depends on must not be reached through it.
        d_output = None if d_output is None else d_output.view_as(d_output)
        d_finals = [d.view_as(d) for d in d_finals]
        inputs = [None if t is None else t.view_as(t) for t in inputs]
        x, w_ih, w_hh, b_ih, b_hh, w_hr, w_unit, *states = inputs
        assert x is not None
        assert w_ih is not None
        assert w_hh is not None
        weights = ScanWeights(w_ih, w_hh, b_ih, b_hh, w_hr, w_unit)
        initial = [s for s in states if s is not None]
        # The kernels may take x and give the output in less precision than they compute in.
        output, finals = reference.scan(
            spec, x.to(w_ih.dtype), weights, initial, batch_sizes=batch_sizes, reverse=reverse
        )
        output = output.to(x.dtype)
        wanted = [t for t, need in zip(inputs, needs, strict=True) if need and t is not None]
        seen = [(y, d) for y, d in ((output, d_output), *zip(finals, d_finals, strict=False)) if d is not None]
        first = torch.autograd.grad(
            [y for y, _ in seen], wanted, [d for _, d in seen], create_graph=True, allow_unused=True
        )
        used = [(y, d) for y, d in zip(first, d_gradients, strict=True) if y is not None and d is not None]
        used = [(y, d) for y, d in used if y.requires_grad]
        sources = [d_output, *d_finals, *inputs]
        asked = [t for t in sources if t is not None and t.requires_grad]
        if not used or not asked:
            return [None] * len(sources)
        found = torch.autograd.grad(
            [y for y, _ in used], asked, [d for _, d in used], create_graph=create_graph, allow_unused=True
        )
    by_identity = {id(t): g for t, g in zip(asked, found, strict=True)}
    return [None if t is None else by_identity.get(id(t)) for t in sources]
