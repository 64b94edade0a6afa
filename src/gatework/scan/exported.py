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
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from gatework import cells
from gatework.cells import CellSpec
from gatework.cells.options import STATE_OPTIONS
from gatework.scan import double_backward, operators
from gatework.scan.options import StepOptions
from gatework.scan.scan import Scan

_SCHEMA = (
    "(str cell, Tensor x, str names, Tensor[] weights, Tensor[] states, Tensor? batch_sizes, bool reverse, "
    "bool is_traced, float[] options, Tensor? seed"
)
_library = torch.library.Library("gatework", "FRAGMENT")
_library.define(f"opaque_scan{_SCHEMA}) -> Tensor[]")
_library.define(f"opaque_scan_backward{_SCHEMA}, Tensor[] gradients) -> Tensor[]")


def is_known(spec: CellSpec) -> bool:
    """Whether the operator can find the cell again by its name."""
    return cells.REGISTRY.get(spec.name) == spec


def run(scan: Scan) -> tuple[Tensor, tuple[Tensor, ...]]:
    """As `operators.run`, shapes included, as one node of a traced program."""
    output, *finals = _node(scan, is_traced=False)
    return output, tuple(finals)


def trace(scan: Scan) -> tuple[Tensor, tuple[Tensor, ...], dict[str, Tensor]]:
    """As `operators.trace`, shapes included, as one node of a traced program."""
    output, *rest = _node(scan, is_traced=True)
    finals, named = rest[: len(scan.states)], rest[len(scan.states) :]
    return output, tuple(finals), dict(zip(scan.spec.names, named, strict=True))


def _node(scan: Scan, *, is_traced: bool) -> list[Tensor]:
    seed = scan.options.seed if isinstance(scan.options.seed, Tensor) else None
    numbers = packed_options(scan.spec, scan.options)
    return torch.ops.gatework.opaque_scan(*operators.packed(scan), is_traced, numbers, seed)


def packed_options(spec: CellSpec, options: StepOptions) -> list[float]:
    """What acts around the cell, for the operator, which knows no dictionaries; the norms are among the weights."""
    numbers = [options.number(option, state) for option in STATE_OPTIONS for state in spec.states]
    return [float(options.training), float(options.place), options.recurrent_dropout, *numbers]


def _with_options(scan: Scan, packed: Sequence[float], seed: Tensor | None) -> Scan:
    """The scan with what acts around its cell, from what the operator is given."""
    training, place, dropout, *numbers = packed
    states, given = scan.spec.states, iter(numbers)
    after = {option.name: dict(zip(states, given, strict=False)) for option in STATE_OPTIONS}
    acting = {
        option.name: {state: x for state, x in after[option.name].items() if x != option.neutral}
        for option in STATE_OPTIONS
    }
    options = replace(
        scan.options, training=bool(training), seed=0 if seed is None else int(seed), place=int(place),
        recurrent_dropout=dropout, after=acting,
    )  # fmt: skip
    return scan._replace(options=options)


def _run(*arguments: Any) -> list[Tensor]:
    """The output, the final states, and the named values when traced; in the layout and the shapes of `operators`.

    Args:
        arguments: Those of `operators.unpacked()`, whether it is traced, `packed_options()` and their seed or None.
    """
    *parts, is_traced, numbers, seed = arguments
    scan = _with_options(operators.unpacked(*parts), numbers, seed)
    missing = 0
    if scan.batch_sizes is not None:
        missing = len(scan.x) - int(scan.batch_sizes.sum())
        scan = scan._replace(batch_sizes=scan.batch_sizes[scan.batch_sizes > 0])
    if missing:
        scan = scan._replace(x=scan.x[: len(scan.x) - missing])
    output, finals, *named = operators.trace(scan) if is_traced else operators.run(scan)
    sequences = [output, *(value for values in named for value in values.values())]
    if missing:
        sequences = [pad(sequence, (0, 0, 0, missing)) for sequence in sequences]
    return [sequences[0], *finals, *sequences[1:]]


def _forward(*arguments: Any) -> list[Tensor]:
    """As `_run()`, each tensor its own: an operator must not return an input, or one tensor twice."""
    # Runs of no steps and traces do.
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
    """The gradients of x, the weights and the states, in this order, each of the shape of its tensor.

    Args:
        arguments: Those of `_run()`, and a derivative for each of its results, of the result's shape.
    """
    *inputs, gradients = arguments
    cell, x, names, weights, states, *rest = inputs
    with _autograd_below_modes(), torch.enable_grad():
        x = x.detach().requires_grad_()
        weights = [weight.detach().requires_grad_() for weight in weights]
        states = [state.detach().requires_grad_() for state in states]
        results = _run(cell, x, names, weights, states, *rest)
        leaves = [x, *weights, *states]
        return list(torch.autograd.grad(results, leaves, gradients, allow_unused=True, materialize_grads=True))


def _forward_shapes(*arguments: Any) -> list[Tensor]:
    """Tensors of the shapes that `_forward()` gives."""
    *parts, is_traced, _, _ = arguments
    scan = operators.unpacked(*parts)
    spec, x, output = scan.spec, scan.x, scan.states[0].shape[-1]
    hidden = scan.weights.weight_ih.shape[0] // len(spec.input_gates)
    widths = [output if name == "h" else hidden for name in spec.names] if is_traced else []
    sequences = [x.new_empty(*x.shape[:-1], width) for width in [output, *widths]]
    return [sequences[0], *(torch.empty_like(state) for state in scan.states), *sequences[1:]]


def _backward_shapes(cell: str, x: Tensor, names: Any, weights: list[Tensor], states: list[Tensor], *_: Any) -> Any:
    """Tensors of the shapes that `_backward()` gives."""
    del cell, names
    return [torch.empty_like(tensor) for tensor in (x, *weights, *states)]


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    del output
    cell, x, names, weights, states, batch_sizes, reverse, is_traced, numbers, seed = inputs
    ctx.save_for_backward(x, *weights, *states, batch_sizes, seed)
    ctx.settings = (cell, names, reverse, is_traced, numbers)


def _differentiate(ctx: Any, gradients: list[Tensor]) -> tuple[Any, ...]:
    """The derivative of `opaque_scan`: for each of its arguments a gradient of the argument's shape, or None."""
    cell, names, reverse, is_traced, numbers = ctx.settings
    x, *tensors, batch_sizes, seed = ctx.saved_tensors
    rest = (batch_sizes, reverse, is_traced, numbers, seed)
    count = operators.weight_count(names)
    if double_backward.is_asked(gradients):

        def run(inputs: Sequence[Any]) -> list[Tensor]:
            x, *tensors = inputs
            return _run(cell, x, names, tensors[:count], tensors[count:], *rest)

        inputs = (x, *tensors)
        derivatives = double_backward.differentiable(run, gradients, inputs, [t.requires_grad for t in inputs])
    else:
        inputs = (cell, x, names, tensors[:count], tensors[count:], *rest)
        derivatives = torch.ops.gatework.opaque_scan_backward(*inputs, gradients)
    d_x, *d_tensors = derivatives
    return None, d_x, None, d_tensors[:count], d_tensors[count:], None, None, None, None, None


_library.impl("opaque_scan", _forward, "CompositeExplicitAutograd")
_library.impl("opaque_scan_backward", _backward, "CompositeExplicitAutograd")
torch.library.register_fake("gatework::opaque_scan", _forward_shapes, lib=_library)
torch.library.register_fake("gatework::opaque_scan_backward", _backward_shapes, lib=_library)
torch.library.register_autograd("gatework::opaque_scan", _differentiate, setup_context=_keep, lib=_library)
