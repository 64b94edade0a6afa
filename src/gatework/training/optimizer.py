"""The optimiser of the training loop: torch's Adam, without what costs more than the step of a small network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from gatework import _training
from gatework.training.late_rows import LateRows
from gatework.training.rows import no_rows, summed, values_of

# Elements; from here on the two passes over a gradient that joining adds cost more than they save.
_SMALL = 16384
# What torch adds to the norm before it divides by it.
_NORM_EPSILON = 1e-6
_STATE = ("step", "exp_avg", "exp_avg_sq")


class Adam:
    """Adam (Kingma & Ba 2015), with decoupled weight decay (Loshchilov & Hutter 2019) where there is any.

    The step is torch's own fused kernel: torch.optim.Adam around it imports torch's compiler, which takes a second, and
    its functional form sorts the tensors by device and type in every step, which takes longer than a small one's step.
    An optimiser costs more per tensor than what it does to a small one, so the small parameters become views of one
    tensor, and their gradients views of its gradient; the network works as before. Of a table whose gradient comes by
    rows only those are moved that it has, and the others when they are read; see `late_rows`.

    Args:
        parameters: The parameters of the network, all of one element type.
        weight_decay: The weight decay, times the learning rate.
        epsilon: What is added to the root that a step is divided by.
        groups: The same parameters in groups that learn at rates of their own; all in one if None or empty.
        tables: Those parts of the network whose gradients come by rows, as `learn_by_rows()` gives them.
        clips_apart: Whether the gradient of each group is clipped by its own norm.

    Attributes:
        tensors: For each group the tensor of its small parameters, then the others.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        weight_decay: float = 0.0,
        epsilon: float = 1e-8,
        groups: Sequence[Sequence[nn.Parameter]] | None = None,
        tables: Sequence[nn.Embedding] = (),
        *,
        clips_apart: bool = False,
    ) -> None:
        given = [list(group) for group in groups] if groups else [[p for p in parameters if p.requires_grad]]
        by_rows = {id(words.weight): words for words in tables}
        joined = [_joined([p for p in group if p.numel() <= _SMALL], group[0]) for group in given]
        self._gradients = [gradient for _, gradient in joined]
        self._others = [p for group in given for p in group if p.numel() > _SMALL]
        self._groups, self._factors, self._clips_apart = given, [1.0] * len(given), clips_apart
        self._group = [*range(len(given)), *(k for k, group in enumerate(given) for p in group if p.numel() > _SMALL)]
        self.tensors: list[Tensor] = [*(tensor for tensor, _ in joined), *self._others]
        self._weight_decay, self._epsilon = weight_decay, epsilon
        self._steps = [torch.zeros((), dtype=torch.float32, device=t.device) for t in self.tensors]
        self._means = [torch.zeros_like(t, requires_grad=False) for t in self.tensors]
        self._squares = [torch.zeros_like(t, requires_grad=False) for t in self.tensors]
        self._late = {
            k: LateRows(by_rows[id(t)], self._means[k], self._squares[k], self._steps[k], weight_decay, epsilon)
            for k, t in enumerate(self.tensors)
            if id(t) in by_rows
        }

    def forget_gradients(self) -> None:
        """Makes every gradient zero, or None."""
        for gradient in self._gradients:
            gradient.zero_()
        for parameter in self._others:
            parameter.grad = None

    def clip(self, most: float) -> float:
        """Scales the gradients down where their norm is above `most`; 0 leaves them as they are.

        Returns:
            The norm before; of groups that are clipped apart the mean of their norms.
        """
        self._sum_rows()
        there = self._moving()
        groups = range(len(self._groups)) if self._clips_apart else (None,)
        norms = []
        for group in groups:
            gradients = [values_of(self._gradient(k)) for k in there if group is None or self._group[k] == group]
            norms.append(_clip(gradients, most))
        return sum(norms) / len(norms)

    def pace(self, factors: Sequence[float]) -> None:
        """Lets each group learn at the learning rate times its factor from now on; one of 0 stays as it is."""
        self._factors = list(factors)
        for group, factor in zip(self._groups, factors, strict=True):
            for parameter in group:
                parameter.requires_grad_(factor > 0)

    def step(self, learning_rate: float) -> None:
        """Moves the parameters by their gradients."""
        self._sum_rows()
        there = self._moving()
        with torch.no_grad():
            for factor in sorted({self._factors[self._group[k]] for k in there}, reverse=True):
                self._move([k for k in there if self._factors[self._group[k]] == factor], learning_rate * factor)

    def _move(self, there: Sequence[int], learning_rate: float) -> None:
        whole = [k for k in there if k not in self._late]
        for k in whole:
            self._steps[k].add_(1)
        mean_kept, square_kept = _training.ADAM_BETAS
        torch._fused_adamw_(
            [self.tensors[k] for k in whole], [self._gradient(k) for k in whole], [self._means[k] for k in whole],
            [self._squares[k] for k in whole], [], [self._steps[k] for k in whole], lr=learning_rate, beta1=mean_kept,
            beta2=square_kept, weight_decay=self._weight_decay, eps=self._epsilon, amsgrad=False, maximize=False,
        )  # fmt: skip
        for k in there:
            if k in self._late:
                self._late[k].step(self._gradient(k), learning_rate)

    def _gradient(self, k: int) -> Tensor:
        gradient = self.tensors[k].grad
        assert gradient is not None
        return gradient

    def _sum_rows(self) -> None:
        """Adds up what the backward pass gave of each row of a table; it is done once for a gradient."""
        for table in map(self.tensors.__getitem__, self._late):
            if table.grad is not None and not table.grad.is_coalesced():
                table.grad = summed([table.grad])

    def _moving(self) -> list[int]:
        """The places of the tensors that have a gradient and a rate."""
        return [k for k, t in enumerate(self.tensors) if t.grad is not None and self._factors[self._group[k]]]

    def state(self) -> dict[str, Tensor]:
        """All that is needed to go on, by name."""
        parts = (self._steps, self._means, self._squares)
        state = {f"{k}/{name}": part[k] for name, part in zip(_STATE, parts, strict=True) for k in range(len(part))}
        return state | {f"{k}/owed": late.owed for k, late in self._late.items()}

    def catch_up(self) -> None:
        """Brings the rows of tables to the step that was taken last, which they else do when they are learnt from."""
        for late in self._late.values():
            late.catch_up_all()

    def release(self) -> None:
        """Brings the network to the step that was taken last, and leaves it alone from now on."""
        for late in self._late.values():
            late.release()

    def moving(self) -> list[Tensor]:
        """The parameters and their averaged gradients and squares: what differs where processes go on by themselves."""
        self.catch_up()
        return [tensor.detach() for tensor in (*self.tensors, *self._means, *self._squares)]

    def load(self, state: dict[str, Tensor]) -> None:
        """Takes over what `state()` gave.

        Raises:
            KeyError: A part is missing.
            RuntimeError: A part has another shape.
        """
        for name, tensor in self.state().items():
            if tensor.shape != state[name].shape:
                raise RuntimeError(f"{name} has shape {tuple(state[name].shape)}, expected {tuple(tensor.shape)}")
            tensor.copy_(state[name])

    def taken_gradients(self) -> list[Tensor]:
        """The gradient of each of `tensors`, zeros where it has none, no longer the optimiser's own."""
        self._sum_rows()
        taken = [gradient.clone() for gradient in self._gradients]
        others = enumerate(self._others, len(taken))
        taken += [self._nothing(k) if parameter.grad is None else parameter.grad for k, parameter in others]
        self.forget_gradients()
        return taken

    def _nothing(self, k: int) -> Tensor:
        """The gradient of what the loss does not hang on."""
        tensor = self.tensors[k]
        return no_rows(tensor) if k in self._late else torch.zeros_like(tensor, requires_grad=False)

    def give_gradients(self, gradients: Sequence[Tensor], scale: float) -> None:
        """Puts gradients of all `tensors` in the place of those that there are, each times `scale`."""
        count = len(self._gradients)
        for mine, gradient in zip(self._gradients, gradients[:count], strict=True):
            torch.mul(gradient, scale, out=mine)
        for parameter, gradient in zip(self._others, gradients[count:], strict=True):
            values_of(gradient).mul_(scale)
            parameter.grad = gradient

    def gradients(self) -> list[Tensor]:
        """The gradient of each of `tensors` that has one, of a table the rows that are there."""
        self._sum_rows()
        return [values_of(self._gradient(k)) for k in self._moving()]


def _clip(gradients: Sequence[Tensor], most: float) -> float:
    """Scales gradients down where their common norm, which is returned, is above `most`, unless that is 0."""
    norm = math.hypot(*[float(torch.linalg.vector_norm(gradient)) for gradient in gradients])
    if most and most < norm + _NORM_EPSILON:
        for gradient in gradients:
            gradient.mul_(most / (norm + _NORM_EPSILON))
    return norm


def _joined(small: Sequence[nn.Parameter], like: Tensor) -> tuple[Tensor, Tensor]:
    """A tensor that parameters become views of, and its gradient, which theirs become views of."""
    joined = torch.cat([like.new_empty(0), *(p.detach().flatten() for p in small)])
    joined.grad = torch.zeros_like(joined)
    sizes = [p.numel() for p in small]
    parts = zip(joined.detach().split(sizes), joined.grad.split(sizes), strict=True)
    for parameter, (values, gradient) in zip(small, parts, strict=True):
        parameter.data, parameter.grad = values.view_as(parameter), gradient.view_as(parameter)
    return joined, joined.grad
