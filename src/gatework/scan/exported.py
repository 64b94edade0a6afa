"""The scan as one operator of torch, for what traces programs: torch.compile and torch.export.

A compiler sees `gatework::opaque_scan` as a single node: it neither unrolls the time axis nor fixes its length.
Running, the node calls `operators.scan` or `operators.trace`, so a compiled program computes with the same kernels as
an eager one. Its backward node runs the scan again and differentiates it: one more forward pass, no gates kept in
between.

Rows beyond the sum of `batch_sizes` are allowed here and give zeros, so that a graph's shapes never depend on lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from gatework import cells
from gatework.cells import CellSpec
from gatework.scan import operators
from gatework.scan.options import PLAIN, Norms, StepOptions

_SCHEMA = (
    "(str cell, Tensor x, str[] weight_names, Tensor[] weights, Tensor[] states, Tensor? batch_sizes, bool reverse, "
    "bool is_traced, float[] around, Tensor? seed"
)
_NORMS = tuple(f.name for f in fields(Norms))
_library = torch.library.Library("gatework", "FRAGMENT")
_library.define(f"opaque_scan{_SCHEMA}) -> Tensor[]")
_library.define(f"opaque_scan_backward{_SCHEMA}, Tensor[] gradients) -> Tensor[]")


def is_known(spec: CellSpec) -> bool:
    """Whether the operator can find the cell again by its name."""
    return cells.REGISTRY.get(spec.name) == spec


def scan(
    spec: CellSpec,
    x: Tensor,
    weights: operators.ScanWeights,
    states: Sequence[Tensor],
    *,
    batch_sizes: Tensor | None = None,
    reverse: bool = False,
    around: StepOptions = PLAIN,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """As `operators.scan`, as one node of a traced program."""
    output, *finals = _call(spec, x, weights, states, batch_sizes, reverse, around, False)
    return output, tuple(finals)


def trace(
    spec: CellSpec,
    x: Tensor,
    weights: operators.ScanWeights,
    states: Sequence[Tensor],
    *,
    batch_sizes: Tensor | None = None,
    reverse: bool = False,
    around: StepOptions = PLAIN,
) -> tuple[Tensor, tuple[Tensor, ...], dict[str, Tensor]]:
    """As `operators.trace`, as one node of a traced program."""
    output, *rest = _call(spec, x, weights, states, batch_sizes, reverse, around, True)
    finals, named = rest[: len(states)], rest[len(states) :]
    return output, tuple(finals), dict(zip(spec.names, named, strict=True))


def _call(
    spec: CellSpec,
    x: Tensor,
    weights: operators.ScanWeights,
    states: Sequence[Tensor],
    batch_sizes: Tensor | None,
    reverse: bool,
    around: StepOptions,
    is_traced: bool,
) -> list[Tensor]:
    present = {name: weight for name, weight in weights._asdict().items() if weight is not None}
    if around.norms is not None:
        norms = {f.name: getattr(around.norms, f.name) for f in fields(around.norms)}
        present |= {name: norm for name, norm in norms.items() if norm is not None}
    seed = around.seed if isinstance(around.seed, Tensor) else None
    names, tensors, numbers = list(present), list(present.values()), _numbers(spec, around)
    return torch.ops.gatework.opaque_scan(
        spec.name, x, names, tensors, list(states), batch_sizes, reverse, is_traced, numbers, seed
    )


def _numbers(spec: CellSpec, around: StepOptions) -> list[float]:
    """What acts around the cell, for the operator, which knows no dictionaries; the norms are among the weights."""
    clip = 0.0 if around.clip is None else around.clip
    shares = [around.zoneout.get(state, 0.0) for state in spec.states]
    return [float(around.training), float(around.place), around.recurrent_dropout, clip, *shares]


def _around_of(spec: CellSpec, numbers: Sequence[float], norms: dict[str, Tensor], seed: Tensor | None) -> StepOptions:
    """What acts around the cell, from what the operator is given."""
    training, place, dropout, clip, *shares = numbers
    zoneout = dict(zip(spec.states, shares, strict=True))
    start = 0 if seed is None else int(seed)
    return StepOptions(
        bool(training), start, int(place), dropout, zoneout, clip or None, Norms(**norms) if norms else None
    )


def _run(
    cell: str,
    x: Tensor,
    weight_names: list[str],
    weights: list[Tensor],
    states: list[Tensor],
    batch_sizes: Tensor | None,
    reverse: bool,
    is_traced: bool,
    numbers: list[float],
    seed: Tensor | None,
) -> list[Tensor]:
    """The output, the final states, and the named values when traced; in the layout of `x`."""
    by_name = dict(zip(weight_names, weights, strict=True))
    norms = {name: by_name.pop(name) for name in weight_names if name in _NORMS}
    around = _around_of(cells.get(cell), numbers, norms, seed)
    given = operators.ScanWeights(**by_name)
    missing = 0
    if batch_sizes is not None:
        missing = len(x) - int(batch_sizes.sum())
        batch_sizes = batch_sizes[batch_sizes > 0]
    rows = x[: len(x) - missing] if missing else x
    operation = operators.trace if is_traced else operators.scan
    output, finals, *named = operation(
        cells.get(cell), rows, given, states, batch_sizes=batch_sizes, reverse=reverse, around=around
    )
    sequences = [output, *(value for values in named for value in values.values())]
    if missing:
        sequences = [pad(sequence, (0, 0, 0, missing)) for sequence in sequences]
    return [sequences[0], *finals, *sequences[1:]]


def _forward(*arguments: Any) -> list[Tensor]:
    # An operator must not return its input or one tensor twice, as runs of no steps and traces do.
    seen = {id(tensor) for argument in arguments if isinstance(argument, list) for tensor in argument}
    results = []
    for result in _run(*arguments):
        results.append(result.clone() if id(result) in seen else result)
        seen.add(id(result))
    return results


def _autograd_below_modes() -> AbstractContextManager[None]:
    """Let autograd record inside an operator also where a dispatch mode, as a counter of FLOPs, has switched it off."""
    keys = torch._C.DispatchKeySet(torch._C.DispatchKey.AutogradFunctionality)
    keys = keys | torch._C.DispatchKeySet(torch._C.DispatchKey.ADInplaceOrView)
    excluded = torch._C._dispatch_tls_local_exclude_set()
    return torch._C._ForceDispatchKeyGuard(torch._C._dispatch_tls_local_include_set(), excluded - keys)


def _backward(*arguments: Any) -> list[Tensor]:
    """The gradients of x, the weights and the states, in this order."""
    *inputs, gradients = arguments
    cell, x, weight_names, weights, states, *options = inputs
    with _autograd_below_modes(), torch.enable_grad():
        x = x.detach().requires_grad_()
        weights = [weight.detach().requires_grad_() for weight in weights]
        states = [state.detach().requires_grad_() for state in states]
        results = _run(cell, x, weight_names, weights, states, *options)
        leaves = [x, *weights, *states]
        return list(torch.autograd.grad(results, leaves, gradients, allow_unused=True, materialize_grads=True))


def _forward_shapes(
    cell: str,
    x: Tensor,
    weight_names: list[str],
    weights: list[Tensor],
    states: list[Tensor],
    batch_sizes: Tensor | None,
    reverse: bool,
    is_traced: bool,
    numbers: list[float],
    seed: Tensor | None,
) -> list[Tensor]:
    del weight_names, batch_sizes, reverse, numbers, seed
    spec = cells.get(cell)
    output, hidden = states[0].shape[-1], weights[0].shape[0] // len(spec.input_gates)
    widths = [output if name == "h" else hidden for name in spec.names] if is_traced else []
    sequences = [x.new_empty(*x.shape[:-1], width) for width in [output, *widths]]
    return [sequences[0], *(torch.empty_like(state) for state in states), *sequences[1:]]


def _backward_shapes(cell: str, x: Tensor, names: Any, weights: list[Tensor], states: list[Tensor], *_: Any) -> Any:
    del cell, names
    return [torch.empty_like(tensor) for tensor in (x, *weights, *states)]


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    del output
    cell, x, weight_names, weights, states, batch_sizes, reverse, is_traced, numbers, seed = inputs
    ctx.save_for_backward(x, *weights, *states, batch_sizes, seed)
    ctx.settings = (cell, weight_names, len(weights), reverse, is_traced, numbers)


def _differentiate(ctx: Any, gradients: list[Tensor]) -> tuple[Any, ...]:
    cell, weight_names, weight_count, *options = ctx.settings
    x, *rest, batch_sizes, seed = ctx.saved_tensors
    options = (batch_sizes, *options, seed)
    weights, states = rest[:weight_count], rest[weight_count:]
    if torch.is_grad_enabled():  # double backward: differentiate what can be differentiated again
        # Views, so that the derivatives stop here: one input may itself be computed from another.
        x, *rest = leaves = [tensor.view_as(tensor) for tensor in (x, *weights, *states)]
        weights, states = rest[:weight_count], rest[weight_count:]
        results = _run(cell, x, weight_names, weights, states, *options)
        found = torch.autograd.grad(results, leaves, gradients, create_graph=True, allow_unused=True)
    else:
        inputs = (cell, x, weight_names, weights, states, *options)
        found = torch.ops.gatework.opaque_scan_backward(*inputs, gradients)
    d_x, d_weights, d_states = found[0], list(found[1 : 1 + weight_count]), list(found[1 + weight_count :])
    return None, d_x, None, d_weights, d_states, None, None, None, None, None


_library.impl("opaque_scan", _forward, "CompositeExplicitAutograd")
_library.impl("opaque_scan_backward", _backward, "CompositeExplicitAutograd")
torch.library.register_fake("gatework::opaque_scan", _forward_shapes, lib=_library)
torch.library.register_fake("gatework::opaque_scan_backward", _backward_shapes, lib=_library)
torch.library.register_autograd("gatework::opaque_scan", _differentiate, setup_context=_keep, lib=_library)
