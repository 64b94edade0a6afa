"""Derivatives that no kernel gives, through the reference: those of the backward pass, and many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from gatework.scan import reference
from gatework.scan.scan import Scan, Settings, Slots


def is_asked(derivatives: Iterable[Tensor | None]) -> bool:
    """Whether a backward pass has to be made of torch's own operations.

    Either its gradients shall have derivatives, or it is transformed.

    Args:
        derivatives: What the backward pass is given.
    """
    return torch.is_grad_enabled() or is_transformed(derivatives)


def is_transformed(derivatives: Iterable[Tensor | None]) -> bool:
    """Whether a backward pass is under a function transform, which only torch's own operations know.

    A vectorised Jacobian, or `torch.autograd.grad(..., is_grads_batched=True)`, so brings the derivatives of many
    results at once.

    Args:
        derivatives: What the backward pass is given.
    """
    if torch._C._are_functorch_transforms_active():
        return True
    return any(d is not None and is_batched(d) for d in derivatives)


def is_batched(derivative: Tensor) -> bool:
    """Whether a tensor that a backward pass is given, of any shape, stands for the derivatives of several results."""
    return bool(torch._C._functorch.is_legacy_batchedtensor(derivative))


def reference_run(scan: Scan) -> tuple[Tensor, tuple[Tensor, ...]]:
    """As `reference.run()`, with the input and the output in less precision where the kernels take and give that."""
    output, finals = reference.run(scan._replace(x=scan.x.to(scan.weights.weight_ih.dtype)))
    return output.to(scan.x.dtype), finals


def differentiable(
    run: Callable[[Sequence[Tensor | None]], Sequence[Tensor]],
    derivatives: Sequence[Tensor | None],
    inputs: Sequence[Tensor | None],
    needs: Sequence[bool],
) -> list[Tensor | None]:
    """The gradients of the inputs; None where one is not needed or not there.

    They have derivatives themselves where those are recorded.

    Args:
        run: Computes the results from the inputs, by what has the derivatives that are asked for.
        derivatives: The derivative for each result, of its shape, None where it is zero.
        inputs: What the results are computed from, of any shapes; each gradient has that of its input.
        needs: Which gradients are wanted.
    """
    create_graph = torch.is_grad_enabled()
    with torch.enable_grad():
        # Views are new ends of the graph: what the derivatives depend on must not be reached through them.
        inputs = [None if t is None else t.view_as(t) for t in inputs]
        results = run(inputs)
    seen = [(y, d) for y, d in zip(results, derivatives, strict=True) if d is not None and y.requires_grad]
    wanted = [t for t, need in zip(inputs, needs, strict=True) if need and t is not None]
    gradients = iter(_grad(seen, wanted, create_graph=create_graph))
    return [next(gradients) if need and t is not None else None for t, need in zip(inputs, needs, strict=True)]


def through_reference(
    settings: Settings,
    tensors: Sequence[Tensor | None],
    needs: Sequence[bool],
    d_output: Tensor | None,
    d_finals: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """The gradients of the reference, where they are asked of torch's own operations, by `differentiable()`.

    Args:
        settings: Of the scan.
        tensors: Its tensors, in the order of their slots.
        needs: Which gradients are wanted.
        d_output: The derivative for the output, of its shape, None where it is zero.
        d_finals: Those for the final states, likewise.
    """

    def run(tensors: Sequence[Tensor | None]) -> list[Tensor]:
        output, finals = reference.run(settings.scan(Slots.of(tensors)))
        return [output, *finals]

    return differentiable(run, (d_output, *d_finals), tensors, needs)


def of_gradients(
    settings: Settings,
    d_output: Tensor | None,
    d_finals: Sequence[Tensor],
    inputs: Slots[Tensor | None],
    needs: Sequence[bool],
    d_gradients: Sequence[Tensor | None],
) -> tuple[Tensor | None, list[Tensor | None], Slots[Tensor | None]]:
    """What d_output, the d_finals and the inputs receive when the gradients of the inputs receive `d_gradients`.

    The reference is run and differentiated twice, so this can itself be differentiated.

    Args:
        settings: Of the scan.
        d_output: The derivative for its output that the backward pass was given, of the output's shape, or None.
        d_finals: Those for its final states; none where they are zero.
        inputs: Its tensors.
        needs: Of which of these, in a row, the backward pass gave a gradient.
        d_gradients: What each of those gradients receives, of its shape, or None.
    """
    create_graph = torch.is_grad_enabled()
    with torch.enable_grad():
        # Views are new ends of the graph: what d_output itself depends on must not be reached through it.
        d_output = None if d_output is None else d_output.view_as(d_output)
        d_finals = [d.view_as(d) for d in d_finals]
        flat = [None if t is None else t.view_as(t) for t in inputs.flat()]
        scan = settings.scan(Slots.of(flat))
        output, finals = reference_run(scan)
        wanted = [t for t, need in zip(flat, needs, strict=True) if need and t is not None]
        seen = [(y, d) for y, d in ((output, d_output), *zip(finals, d_finals, strict=False)) if d is not None]
        first = _grad([(y, d) for y, d in seen if y.requires_grad], wanted, create_graph=True)
        used = [(y, d) for y, d in zip(first, d_gradients, strict=True) if y is not None and d is not None]
        sources = [d_output, *d_finals, *flat]
        asked = [t for t in sources if t is not None and t.requires_grad]
        second = _grad([(y, d) for y, d in used if y.requires_grad], asked, create_graph=create_graph)
    by_identity = {id(t): g for t, g in zip(asked, second, strict=True)}
    received = [None if t is None else by_identity.get(id(t)) for t in sources]
    end = 1 + len(d_finals)
    return received[0], received[1:end], Slots.of(received[end:])


def _grad(
    pairs: Sequence[tuple[Tensor, Tensor]], inputs: Sequence[Tensor], *, create_graph: bool
) -> Sequence[Tensor | None]:
    """The gradients of the inputs from (result, its derivative); none where there is nothing to differentiate."""
    if not pairs or not inputs:
        return [None] * len(inputs)
    results, derivatives = [y for y, _ in pairs], [d for _, d in pairs]
    return torch.autograd.grad(results, inputs, derivatives, create_graph=create_graph, allow_unused=True)
