"""From what the native backward pass gives to the gradients of every input, and the gradients of those."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gatework import _reference
from gatework._kernels import Gradients, Kept, Kernel, Layout
from gatework._reference import ScanWeights
from gatework.cells import CellSpec


def of_inputs(
    kernel: Kernel,
    gradients: Gradients,
    x: Tensor,
    weights: ScanWeights,
    states: Sequence[Tensor],
    layout: Layout,
    output: Tensor,
    kept: Kept,
    needs: Sequence[bool],
) -> list[Tensor]:
    """The gradients of x, the five weights and the states, those that are needed, in that order."""
    hidden = weights.weight_hh.shape[0] // len(kernel.spec.gates)
    d = gradients.accumulators.reshape(layout.rows, -1)
    flat = x.reshape(layout.rows, x.shape[-1])
    into_input, into_recurrent = _runs(kernel.input_planes, hidden), _runs(kernel.recurrent_planes, hidden)
    found: list[Tensor | None] = [None] * len(needs)
    if needs[0]:
        found[0] = _times(d, into_input, weights.weight_ih).view(x.shape)
    if needs[1]:
        found[1] = _transposed_times(into_input, weights.weight_ih, [(d, flat)])
    if needs[2]:
        pairs = _previous_outputs(d, states[0], layout, output, kept)
        found[2] = _transposed_times(into_recurrent, weights.weight_hh, pairs)
    if needs[3] or needs[4]:
        sums = d.sum(0)
        for place, runs in ((3, into_input), (4, into_recurrent)):
            if needs[place]:
                found[place] = torch.cat([sums[begin:end] for begin, end in runs])
    if needs[5] and gradients.projected is not None and kept.next[0] is not None:
        found[5] = gradients.projected.reshape(layout.rows, -1).t() @ kept.next[0].reshape(layout.rows, hidden)
    found[6:] = gradients.states
    return [g for g, need in zip(found, needs, strict=True) if need and g is not None]


def _runs(planes: Sequence[int], hidden: int) -> list[tuple[int, int]]:
    """The columns of the planes, as few contiguous ranges as there are."""
    runs: list[tuple[int, int]] = []
    for plane in planes:
        if runs and runs[-1][1] == plane * hidden:
            runs[-1] = (runs[-1][0], (plane + 1) * hidden)
        else:
            runs.append((plane * hidden, (plane + 1) * hidden))
    return runs


def _times(d: Tensor, runs: Sequence[tuple[int, int]], weight: Tensor) -> Tensor:
    """The columns of d times the weight, whose rows are those columns in order."""
    result, row = None, 0
    for begin, end in runs:
        part, rows = d[:, begin:end], weight[row : row + end - begin]
        result = part @ rows if result is None else result.addmm_(part, rows)
        row += end - begin
    assert result is not None
    return result


def _transposed_times(runs: Sequence[tuple[int, int]], like: Tensor, pairs: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """The sum of part.T @ other over the pairs, where only the columns in `runs` of each part count."""
    result, row = torch.empty_like(like), 0
    for begin, end in runs:
        target = result[row : row + end - begin]
        for k, (part, other) in enumerate(pairs):
            if k == 0:
                torch.mm(part[:, begin:end].t(), other, out=target)
            else:
                target.addmm_(part[:, begin:end].t(), other)
        row += end - begin
    return result


def _previous_outputs(
    d: Tensor, initial: Tensor, layout: Layout, output: Tensor, kept: Kept
) -> list[tuple[Tensor, Tensor]]:
    """Rows of d beside the h that the recurrent product saw there."""
    if layout.batch_sizes is not None:
        assert kept.previous[0] is not None
        return [(d, kept.previous[0])]
    batch = layout.batch
    if layout.rows == 0:
        return [(d, output.reshape(layout.rows, -1))]
    h = output.reshape(layout.rows, -1)
    if layout.reverse:
        return [(d[:-batch], h[batch:]), (d[-batch:], initial)]
    return [(d[batch:], h[:-batch]), (d[:batch], initial)]


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
        x, w_ih, w_hh, b_ih, b_hh, w_hr, *states = inputs
        assert x is not None
        assert w_ih is not None
        assert w_hh is not None
        weights = ScanWeights(w_ih, w_hh, b_ih, b_hh, w_hr)
        output, finals = _reference.scan(
            spec, x, weights, [s for s in states if s is not None], batch_sizes=batch_sizes, reverse=reverse
        )
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
