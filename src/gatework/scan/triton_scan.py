"""One scan on kernels printed for Triton: one for each step, with torch's products between them.

What does not recur is done for all steps at once: the input product before the scan, the gradients of U, of b' and of
the learnt vectors after it. The gradient of U h_{t-1} is what the next step back waits for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from gatework.cells.options import STATE_OPTIONS
from gatework.scan import counter_rng, double_backward, reference, triton_graph, triton_kernels
from gatework.scan.scan import Scan, ScanWeights, Settings, Slots
from gatework.scan.triton_kernels import StepKernels

_BLOCK = 256
_FEWEST_STEPS = 8


def has_kernel(scan: Scan) -> bool:
    """Whether the kernels compute a scan."""
    return (
        scan.weights.weight_hr is None
        and scan.x.dtype == scan.weights.weight_ih.dtype
        and scan.x.shape[-1] > 0
        and triton_kernels.takes(scan.weights.weight_ih, scan.options)
    )


def run(scan: Scan) -> tuple[Tensor, tuple[Tensor, ...]]:
    """As `reference.run()`, shapes included."""
    if not has_kernel(scan) or not scan.x.numel():
        return reference.run(scan)
    inner = with_product(scan)
    with torch.cuda.device_of(scan.x):
        output, *finals = _TritonScan.apply(inner.settings, *inner.slots.flat())
    return output, tuple(finals)


def trace(scan: Scan) -> tuple[Tensor, tuple[Tensor, ...], dict[str, Tensor]]:
    """As `reference.trace()`, which computes it."""
    return reference.trace(scan)


def with_product(scan: Scan) -> Scan:
    """The scan as the kernels take it: with the input product in place of x."""
    weights = scan.weights
    product = scan.options.input_product(scan.x, weights.weight_ih, weights.bias_ih)
    weights = weights._replace(weight_ih=weights.weight_ih.new_empty(len(weights.weight_ih), 0), bias_ih=None)
    return scan._replace(x=product, weights=weights, options=replace(scan.options, has_product=True))


@dataclass(frozen=True)
class _Step:
    """Where one step stands among the rows.

    Attributes:
        first: Its first row.
        rows: How many sequences run at it.
        earlier: The first row of the step before it, in the order of the scan.
        before: How many of its sequences have run at that one; the others begin here.
    """

    first: int
    rows: int
    earlier: int
    before: int


def _steps(scan: Scan) -> list[_Step]:
    """The steps in the order of the scan."""
    sizes = [scan.x.shape[1]] * scan.x.shape[0] if scan.batch_sizes is None else scan.batch_sizes.tolist()
    firsts = [0]
    for size in sizes:
        firsts.append(firsts[-1] + size)
    steps, earlier, running = [], 0, 0
    for place in reversed(range(len(sizes))) if scan.reverse else range(len(sizes)):
        steps.append(_Step(firsts[place], sizes[place], earlier, min(running, sizes[place])))
        earlier, running = firsts[place], sizes[place]
    return steps


@dataclass
class _Work:
    """A scan with all that its kernels are given at every step."""

    scan: Scan
    kernels: StepKernels
    steps: list[_Step]
    hidden: int
    share: Tensor
    dropped: Tensor | None
    compiled: Any = None

    @classmethod
    def of(cls, scan: Scan) -> _Work:
        kernels = triton_kernels.find(scan.spec, scan.options)
        hidden, steps = scan.states[0].shape[-1], _steps(scan)
        return cls(
            scan, kernels, steps, hidden, _shares(scan, kernels, len(steps)), scan.options.dropped(scan.states[0])
        )

    @property
    def key(self) -> tuple[Any, ...]:
        """What its launches depend on besides its tensors."""
        return id(self.kernels), self.scan.reverse

    @property
    def is_recorded(self) -> bool:
        """Whether its launches may be played again: not where every batch has other lengths."""
        return self.scan.batch_sizes is None and len(self.steps) >= _FEWEST_STEPS

    def parts(self) -> list[Tensor | None]:
        """Its tensors, None for one that is not there."""
        weights = self.scan.weights
        return [self.scan.x, weights.weight_hh, weights.bias_hh, weights.weight_unit, self.share, self.dropped,
                *self.scan.states]  # fmt: skip

    def on(self, parts: Sequence[Any]) -> _Work:
        """The same with other tensors."""
        x, weight_hh, bias_hh, weight_unit, share, dropped, *states = parts
        weights = self.scan.weights._replace(weight_hh=weight_hh, bias_hh=bias_hh, weight_unit=weight_unit)
        scan = self.scan._replace(x=x, weights=weights, states=states)
        return replace(self, scan=scan, share=share, dropped=dropped, compiled=None)

    @property
    def unit(self) -> Tensor:
        """The learnt vectors, shape (vectors, hidden); anything where the cell has none."""
        return self.share if self.scan.weights.weight_unit is None else self.scan.weights.weight_unit

    def launch(self, kernel: Any, tensors: Sequence[Tensor], time: int, *constants: Any) -> None:
        """Runs a kernel on the units of one step; `tensors` are the same at every one."""
        step = self.steps[time]
        numbers = (step.first, step.earlier, step.before, step.rows, time, len(self.scan.states[0]))
        arguments = (*tensors, *numbers, self.hidden, _BLOCK, *constants)
        blocks = -(-step.rows * self.hidden // _BLOCK)
        if blocks and self.compiled is None:
            self.compiled = kernel[(blocks,)](*arguments)
        elif blocks:  # what it is compiled for need not be found out again, which takes longer than a step
            self.compiled[(blocks, 1, 1)](*arguments)

    def seen(self, history: Tensor, time: int) -> Tensor:
        """The h before a step, as the recurrent product sees it, shape (running, hidden).

        Args:
            history: The h of every row, shape (rows, hidden).
            time: The step, in the order of the scan.
        """
        step, start = self.steps[time], self.scan.states[0]
        if step.before == 0:
            h = start[: step.rows]
        else:
            h = history[step.earlier : step.earlier + step.before]
            if step.before < step.rows:
                h = torch.cat([h, start[step.before : step.rows]])
        return h if self.dropped is None else h * self.dropped[: step.rows]


def _shares(scan: Scan, kernels: StepKernels, steps: int) -> Tensor:
    """What is drawn for each unit at each step, shape (steps, drawn, batch, hidden), as 0 or 1."""
    options, shape = {option.name: option for option in STATE_OPTIONS}, tuple(scan.states[0].shape)
    drawn = []
    for name, state in kernels.shares:
        option = options[name]
        place, number = scan.options.mask_place(option, scan.spec, state), scan.options.number(option, state)
        seed, device = int(scan.options.seed), scan.x.device
        drawn.append(counter_rng.is_kept_each(seed, *place, steps=steps, shape=shape, share=number, device=device))
    return torch.stack(drawn, 1).to(torch.uint8) if drawn else scan.x.new_empty(1)


def _forward(work: _Work, *, is_saved: bool) -> tuple[Tensor, list[Tensor], list[Tensor], Tensor]:
    """Runs the kernels step by step.

    Returns:
        The output in the layout of `x`; the final states, each (batch, hidden); the states of every row, each (rows,
        hidden); and what the way back needs, shape (rows, saved, hidden), with no values saved where there is none.
    """
    scan, kernels, weights = work.scan, work.kernels, work.scan.weights
    rows = scan.x.numel() // scan.x.shape[-1]
    product = scan.x.reshape(rows, -1).contiguous()
    states = [state.contiguous() for state in scan.states]
    history = [product.new_empty(rows, work.hidden) for _ in states]
    saved = product.new_empty(rows, len(kernels.derivation.saved) if is_saved else 0, work.hidden)
    pairs = [tensor for pair in zip(states, history, strict=True) for tensor in pair]
    recurrent, turned = product.new_empty(len(states[0]), len(weights.weight_hh)), weights.weight_hh.detach().t()
    bias = None if weights.bias_hh is None else weights.bias_hh.detach()
    tensors = (product, recurrent, work.unit, work.share, saved, *pairs)
    for time, step in enumerate(work.steps):
        if scan.spec.recurrent_gates:
            h, into = work.seen(history[0], time), recurrent[: step.rows]
            torch.mm(h, turned, out=into) if bias is None else torch.addmm(bias, h, turned, out=into)
        work.launch(kernels.forward, tensors, time, is_saved)
    output = history[0].view(*scan.x.shape[:-1], work.hidden)
    return output, _finals(work, history), history, saved


def _forward_played(work: _Work, *, is_saved: bool) -> tuple[Tensor, list[Tensor], list[Tensor], Tensor]:
    """As `_forward()`, which is recorded where that is worth it."""
    if not work.is_recorded:
        return _forward(work, is_saved=is_saved)

    def function(*parts: Any) -> list[Tensor]:
        output, finals, history, saved = _forward(work.on(parts), is_saved=is_saved)
        return [output, saved, *finals, *history[1:]]

    results: list[Any] = list(triton_graph.run(("forward", is_saved, *work.key), function, work.parts()))
    output, saved, *states = results
    count = len(work.scan.states)
    return output, states[:count], [output.view(-1, work.hidden), *states[count:]], saved


def _finals(work: _Work, history: Sequence[Tensor]) -> list[Tensor]:
    """The last state of each sequence, its first one where it has no steps; each of shape (batch, hidden).

    Args:
        work: The scan.
        history: The states of every row, each of shape (rows, hidden).
    """
    batch = len(work.scan.states[0])
    last = work.steps[-1]
    if last.rows == batch:
        return [rows[last.first : last.first + batch].clone() for rows in history]
    places = torch.full((batch,), -1, dtype=torch.int64)
    for step in work.steps:
        places[: step.rows] = torch.arange(step.first, step.first + step.rows)
    return _gathered(work, history, places, torch.arange(batch))


def _gathered(work: _Work, history: Sequence[Tensor], places: Tensor, begun: Tensor) -> list[Tensor]:
    """For each place the state of that row, each state of shape (places, hidden).

    Args:
        work: The scan.
        history: The states of every row, each of shape (rows, hidden).
        places: Rows, shape (places,), int64; where one is negative, the initial state stands for it.
        begun: Whose initial state that is, shape (places,), int64.
    """
    device = work.scan.x.device
    starts, rows = (places < 0).to(device)[:, None], places.clamp_min(0).to(device)
    begun = begun.to(device)
    return [torch.where(starts, s[begun], h[rows]) for s, h in zip(work.scan.states, history, strict=False)]


class _TritonScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, settings: Settings, *tensors: Any) -> tuple[Tensor, ...]:
        is_saved = any(ctx.needs_input_grad)
        work = _Work.of(settings.scan(Slots.of(tensors)))
        output, finals, history, saved = _forward_played(work, is_saved=is_saved)
        ctx.settings = settings
        if is_saved:
            share = [work.share] if work.kernels.shares else []
            dropped = [] if work.dropped is None else [work.dropped]
            ctx.save_for_backward(*tensors, saved, *history[1:], output, *share, *dropped)
        return output, *finals

    @staticmethod
    def backward(ctx: Any, d_output: Tensor, *d_finals: Tensor) -> tuple[Any, ...]:
        needs = ctx.needs_input_grad[1:]
        kept = ctx.saved_tensors  # once only: checkpointing computes them at each access
        tensors, (saved, *rest) = kept[: len(needs)], kept[len(needs) :]
        if double_backward.is_asked((d_output, *d_finals)):
            return None, *double_backward.through_reference(ctx.settings, tensors, needs, d_output, d_finals)
        scan = ctx.settings.scan(Slots.of(tensors))
        count = len(scan.states)
        others, output, drawn = rest[: count - 1], rest[count - 1], list(rest[count:])
        kernels = triton_kernels.find(scan.spec, scan.options)
        share = drawn.pop(0) if kernels.shares else scan.x.new_empty(1)
        dropped = drawn.pop(0) if drawn else None
        work = _Work(scan, kernels, _steps(scan), scan.states[0].shape[-1], share, dropped)
        history = [output.reshape(-1, work.hidden), *others]
        gradients = _backward_played(work, history, saved, d_output, d_finals)
        return None, *(g if need else None for g, need in zip(gradients, needs, strict=True))


def _backward(
    work: _Work, history: Sequence[Tensor], saved: Tensor, d_output: Tensor, d_finals: Sequence[Tensor]
) -> Slots[Tensor | None]:
    """The gradients of a scan's tensors, each of its tensor's shape, from what its forward pass left.

    Args:
        work: The scan.
        history: The states of every row, each of shape (rows, hidden).
        saved: As `_forward()` gives it.
        d_output: The derivative for the output, of its shape.
        d_finals: Those for the final states, each of shape (batch, hidden).
    """
    scan, kernels, weights = work.scan, work.kernels, work.scan.weights
    spec, rows = scan.spec, len(history[0])
    states = [state.contiguous() for state in scan.states]
    adjoints = [d.clone(memory_format=torch.contiguous_format) for d in d_finals]
    d_product = history[0].new_empty(rows, len(spec.input_gates) * work.hidden)
    d_recurrent = d_product if kernels.is_joint else d_product.new_empty(rows, len(spec.recurrent_gates) * work.hidden)
    d_unit = d_product.new_empty(rows, len(spec.unit_weights), work.hidden)
    d_output = d_output.reshape(rows, work.hidden).contiguous()
    pairs = [tensor for pair in zip(states, history, strict=True) for tensor in pair]
    tensors = (work.unit, work.share, saved, d_output, d_product, d_recurrent, d_unit, *pairs, *adjoints)
    for time in reversed(range(len(work.steps))):
        work.launch(kernels.backward, tensors, time)
        if spec.recurrent_gates:
            step = work.steps[time]
            into = d_recurrent[step.first : step.first + step.rows]
            if work.dropped is None:
                adjoints[0][: step.rows].addmm_(into, weights.weight_hh)
            else:
                adjoints[0][: step.rows] += (into @ weights.weight_hh) * work.dropped[: step.rows]
    d_hh, d_bias = _weight_gradients(work, history, d_recurrent)
    given = ScanWeights(
        weights.weight_ih.new_zeros(weights.weight_ih.shape), d_hh, None, d_bias, None,
        d_unit.sum(0) if spec.unit_weights else None,
    )  # fmt: skip
    return Slots.of([d_product.view_as(scan.x), *given, None, None, None, None, *adjoints])


def _backward_played(
    work: _Work, history: Sequence[Tensor], saved: Tensor, d_output: Tensor, d_finals: Sequence[Tensor]
) -> Sequence[Tensor | None]:
    """As `_backward()`, which is recorded where that is worth it; one after the other."""
    if not work.is_recorded:
        return _backward(work, history, saved, d_output, d_finals).flat()
    first = len(work.parts())

    def function(*parts: Any) -> Sequence[Tensor | None]:
        saved, d_output, *rest = parts[first:]
        count = len(history)
        return _backward(work.on(parts[:first]), rest[:count], saved, d_output, rest[count:]).flat()

    given = [*work.parts(), saved, d_output.contiguous(), *history, *d_finals]
    return triton_graph.run(("backward", *work.key), function, given)


def _weight_gradients(work: _Work, history: Sequence[Tensor], d_recurrent: Tensor) -> tuple[Tensor, Tensor | None]:
    """The gradients of U and b', of their shapes, over all steps at once.

    Args:
        work: The scan.
        history: The states of every row, each of shape (rows, hidden).
        d_recurrent: The gradient of the recurrent product of every row, shape (rows, R hidden).
    """
    weights = work.scan.weights
    if not work.scan.spec.recurrent_gates:
        bias = weights.bias_hh
        return torch.zeros_like(weights.weight_hh), None if bias is None else torch.zeros_like(bias)
    seen = _seen_by_all(work, history[0])
    return d_recurrent.t() @ seen, None if weights.bias_hh is None else d_recurrent.sum(0)


def _seen_by_all(work: _Work, history: Tensor) -> Tensor:
    """As `_Work.seen()` for every row."""
    scan, batch = work.scan, len(work.scan.states[0])
    if scan.batch_sizes is None:
        parts = [scan.states[0], history[:-batch]]
        h = torch.cat([history[batch:], scan.states[0]] if scan.reverse else parts)
        return h if work.dropped is None else h * work.dropped.repeat(len(work.steps), 1)
    places, rows = torch.full((len(history),), -1, dtype=torch.int64), torch.empty(len(history), dtype=torch.int64)
    for step in work.steps:
        rows[step.first : step.first + step.rows] = torch.arange(step.rows)
        places[step.first : step.first + step.before] = torch.arange(step.earlier, step.earlier + step.before)
    (h,) = _gathered(work, [history], places, rows)
    return h if work.dropped is None else h * work.dropped[rows.to(h.device)]
