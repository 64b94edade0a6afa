r"""The forecasting network: a recurrent cell over segments of the window, every segment of the horizon at once.

With windows cut into segments of $s$ steps, the cell takes $W / s$ steps instead of $W$:

$$ h_j, c_j = \mathrm{cell}(\mathrm{ReLU}(A x_j + a),\; h_{j-1}, c_{j-1}) \qquad j = 1, \dots, W/s $$

and answers the $k$-th segment of the horizon from its last state:

$$ g_k = \mathrm{cell}(P_k + u,\; h_{W/s}, c_{W/s}) \qquad y_k = B g_k + b $$

with $P_k$ learnt, $u$ a projection of what never changes, and $y_k$ holding $s$ steps of every quantile. The recursive
decoder carries the state on and reads its own last answer as well. What is known ahead of a step, $v_t$, moves the
answer of that step alone, so that no forecast depends on what is known of a later one:

$$ y_t \leftarrow y_t + D v_t + E \,\mathrm{ReLU}(F v_t + G g_k) $$

A forecast is the simple one plus $y$, in the window's own measure. Free quantiles are the median and sums of positive
gaps above and below it, so they never cross; $y_k$ may instead hold the location and the scale of a distribution, or
the numbers of the law of a count (`counts.py`). Where validation is to choose, the law is learnt, and free quantiles
beside it from the same states, which they do not change.

Source: S. Lin et al., "SegRNN: Segment Recurrent Neural Network for Long-Term Time Series Forecasting", 2023.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from gatework.nn.model import layers
from gatework.options import ModelOptions
from gatework.tasks._task import Loss
from gatework.tasks.forecast.conformal import Calibration
from gatework.tasks.forecast.counts import CountLaw, WindowCounts, negative_log_likelihood
from gatework.tasks.forecast.distributions import WIDTHS, parted, quantiles, score
from gatework.tasks.forecast.measures import Logarithm
from gatework.tasks.forecast.metrics import LEVELS, MEDIAN
from gatework.tasks.forecast.options import COUNTS, Distribution, ForecastOptions
from gatework.tasks.forecast.window_store import OriginBatch

_KNOWN_WIDTH = 32
# The exponential of more is beyond float32.
_LARGEST_LOG, _SMALLEST = 80.0, 1e-30
_SEEDS = 1 << 62
_FREE: Distribution = "free"


class Member(nn.Module):
    """One network: it maps windows to quantiles of the steps that follow.

    Args:
        config: The cell, its size and its options.
        plan: The window, the horizon and the segment.
        inputs: Features of each step of the window.
        ahead: Features of each step of the horizon.
        static: Features that never change.
        log: The scale of the windows, where it is not the targets' own.
    """

    def __init__(
        self,
        config: ModelOptions,
        plan: ForecastOptions,
        *,
        inputs: int,
        ahead: int,
        static: int,
        log: Logarithm | None,
    ) -> None:
        super().__init__()
        self.horizon, self.segment = plan.horizon, plan.segment
        self.steps = -(-plan.horizon // plan.segment)
        self.is_recursive = plan.decoder == "recursive"
        self.log = log
        self.distribution: Distribution = COUNTS if plan.distribution == "auto" else plan.distribution
        self.outputs = WIDTHS[self.distribution]
        self.encode = nn.Linear(plan.segment * inputs, config.hidden)
        self.recurrent = layers(config, config.hidden)
        self.place = nn.Parameter(torch.randn(self.steps, config.hidden))
        self.known = _Known(ahead, config.hidden, self.outputs) if ahead else None
        self.static = nn.Linear(static, config.hidden, bias=False) if static else None
        self.again = nn.Linear(plan.segment, config.hidden, bias=False) if self.is_recursive else None
        self.dropout = nn.Dropout(config.dropout)
        self.answer = _answer(config.hidden, plan.segment * self.outputs)
        self.law = CountLaw(config.hidden, float(plan.skip == "linear")) if self.distribution == COUNTS else None
        is_open = plan.distribution == "auto"
        # Where validation is to choose: free quantiles beside the law of counts.
        self.free_answer = _answer(config.hidden, plan.segment * len(LEVELS)) if is_open else None
        self.free_known = _Known(ahead, config.hidden, len(LEVELS)) if is_open and ahead else None
        self.answering: tuple[Distribution, ...] = (self.distribution, _FREE) if is_open else (self.distribution,)

    def forward(
        self, inputs: Tensor, ahead: Tensor | None, static: Tensor | None, level: Tensor, scale: Tensor, skip: Tensor
    ) -> Tensor:
        """What is said of every step before calibration, shape (batch, horizon, numbers).

        These are the quantiles in the targets' own unit, or the numbers of a law of counts; the former, then the latter
        while both are learnt.

        Args:
            inputs: Windows, shape (batch, window, features).
            ahead: What is known ahead, shape (batch, horizon, features); None does where there are no features.
            static: What never changes, shape (batch, features), likewise.
            level: The level of each window, shape (batch,).
            scale: The scale of each window, shape (batch,).
            skip: The simple forecast that the network adds to, in the window's measure, shape (batch, horizon).
        """
        window = None if self.law is None else WindowCounts.of(inputs, level, scale, skip, self.log)
        states = self.states(inputs, static, window)

        def unscaled(added: Tensor) -> Tensor:
            values = level[:, None, None] + scale[:, None, None] * (skip[..., None] + added)
            return values if self.log is None else values.clamp(max=_LARGEST_LOG).exp() - self.log.offset

        said = []
        if self.free_answer is not None and _FREE in self.answering:
            said.append(unscaled(_ordered(self._raw(states.detach(), ahead, self.free_answer, self.free_known))))
        if self.distribution in self.answering:
            raw = self._raw(states, ahead, self.answer, self.known)
            if self.law is not None and window is not None:
                said.append(self.law(raw, window))
            else:
                is_free = self.distribution == _FREE
                said.append(unscaled(_ordered(raw) if is_free else quantiles(raw, self.distribution)))
        return torch.cat(said, dim=-1) if len(said) > 1 else said[0]

    def states(self, windows: Tensor, static: Tensor | None, known: WindowCounts | None) -> Tensor:
        """What is known of every segment of the horizon, shape (batch, segments, hidden)."""
        count, size = windows.shape[0], self.segment
        segments = torch.relu(self.encode(windows.reshape(count, windows.shape[1] // size, -1)))
        _, state = self.recurrent(segments.transpose(0, 1))
        queries = self._queries(count, static)
        if self.law is not None and known is not None:
            queries = queries + self.law.size(known.sizes)[:, None]
        return self._recursive(queries, state) if self.is_recursive else self._direct(queries, state)

    def _raw(self, states: Tensor, ahead: Tensor | None, answer: nn.Linear, known: _Known | None) -> Tensor:
        """The numbers of every step of the horizon, shape (batch, horizon, numbers)."""
        values: Tensor = answer(self.dropout(states))
        values = values.reshape(states.shape[0], self.steps * self.segment, -1)[:, : self.horizon]
        if known is None:
            return values
        return values + known(ahead, states.repeat_interleave(self.segment, dim=1)[:, : self.horizon])

    def _queries(self, count: int, static: Tensor | None) -> Tensor:
        """What the decoder's cell reads for each segment, shape (batch, segments, hidden)."""
        queries = self.place.expand(count, -1, -1)
        return queries if self.static is None else queries + self.static(static)[:, None]

    def _direct(self, queries: Tensor, state: Any) -> Tensor:
        """Every segment from the window's last state: one step of a batch that holds them all."""
        count = queries.shape[0]
        repeated = _each(state, lambda s: s.repeat_interleave(self.steps, dim=1).contiguous())
        output, _ = self.recurrent(queries.reshape(1, count * self.steps, -1), repeated)
        raw: Tensor = output[0].reshape(count, self.steps, -1)
        return raw

    def _recursive(self, queries: Tensor, state: Any) -> Tensor:
        assert self.again is not None
        states: list[Tensor] = []
        for step in range(self.steps):
            query = queries[:, step]
            if states:
                said = self.answer(states[-1]).reshape(query.shape[0], self.segment, -1)
                query = query + self.again(said[..., MEDIAN if self.distribution == _FREE else 0])
            output, state = self.recurrent(query[None].contiguous(), state)
            states.append(output[0])
        return torch.stack(states, dim=1)


class ForecastNetwork(Member):
    """A network, or the mean of several that differ in what they began from, with what is known of its intervals.

    The mean is one of quantiles, level by level, or of the numbers of laws of counts. The first network is the module
    itself, and learns as it would alone. So do the others, each by its own loss and with random numbers of its own.

    Args:
        config: The cell, its size and its options.
        plan: The window, the horizon, the segment, and how many networks there are.
        series: How many series have intervals of their own.
        sizes: `inputs`, `ahead`, `static` and `log`, as `Member` takes them.
    """

    def __init__(self, config: ModelOptions, plan: ForecastOptions, *, series: int, **sizes: Any) -> None:
        super().__init__(config, plan, **sizes)
        self.others = nn.ModuleList()
        if plan.networks > 1:
            with numbers_of(0, torch.device("cpu")):
                self.others.extend(Member(config, plan, **sizes) for _ in range(plan.networks - 1))
        self.losses: Tensor
        if self.free_answer is not None:
            self.register_buffer("losses", torch.zeros(2))
            self.register_load_state_dict_post_hook(_decide)
        self.alpha: Tensor
        self.counts: Tensor
        nothing = Calibration.unknown(series, plan.horizon)
        self.register_buffer("alpha", torch.from_numpy(nothing.alpha))
        self.register_buffer("counts", torch.from_numpy(nothing.counts).float())

    def forward(
        self, inputs: Tensor, ahead: Tensor | None, static: Tensor | None, level: Tensor, scale: Tensor, skip: Tensor
    ) -> Tensor:
        """The mean of what each network says before calibration; see `Member.forward()`."""
        windows = {"inputs": inputs, "ahead": ahead, "static": static, "level": level, "scale": scale, "skip": skip}
        said = self.each(**windows)
        return torch.stack(said).mean(dim=0) if len(said) > 1 else said[0]

    def each(self, **windows: Any) -> list[Tensor]:
        """What each network says, the first one first; the arguments are those of `forward()`."""
        others = []
        for place, other in enumerate(self.others, start=1):
            with numbers_of(place, windows["inputs"].device) if self.training else nullcontext():
                others.append(other(**windows))
        return [super().forward(**windows), *others]

    def apart(self) -> list[list[nn.Parameter]]:
        """The parameters of each network, the first one's first."""
        theirs = [list(other.parameters()) for other in self.others]
        shared = {id(parameter) for each in theirs for parameter in each}
        return [[parameter for parameter in self.parameters() if id(parameter) not in shared], *theirs]

    @property
    def alone(self) -> list[nn.Module]:
        """Each network by itself, the first one first."""
        return [_First(self), *self.others]

    def go_by(self, other: ForecastNetwork) -> None:
        """Lets answer what answers in another network of the kind."""
        if self.free_answer is not None:
            self.losses.copy_(other.losses)
            self.decide()

    def decide(self) -> None:
        """Lets answer what had the lower loss on the validation part: the law of counts, or the free quantiles."""
        if self.free_answer is None:
            return
        if not bool(self.losses.any()):
            self.answer_by((self.distribution, _FREE))
        else:
            self.answer_by((self.distribution if self.losses[0] <= self.losses[1] else _FREE,))

    def answer_by(self, answering: tuple[Distribution, ...]) -> None:
        """Lets all of its networks answer by these."""
        for network in (self, *self.others):
            network.answering = answering

    @property
    def least_side(self) -> float:
        """No side of an interval is measured as shorter than this: half a count, where counts are answered."""
        return 0.5 if self.answering == (COUNTS,) else 0.0

    @property
    def calibration(self) -> Calibration:
        """What is known of the intervals."""
        return Calibration(self.alpha.numpy(), self.counts.double().numpy(), self.horizon, self.least_side)

    @calibration.setter
    def calibration(self, known: Calibration) -> None:
        self.alpha.copy_(torch.from_numpy(known.alpha))
        self.counts.copy_(torch.from_numpy(known.counts))


@contextmanager
def numbers_of(place: int, device: torch.device) -> Iterator[None]:
    """Random numbers of a network's own, as dropout's, which leave those that follow the block as they are.

    They are other ones at every step, as long as the first network draws any, and the same ones after a resumed step.

    Args:
        place: Which of the networks it is, counted from 0; 0 for the weights that later ones begin from.
        device: Where it computes.
    """
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        seed = place + int(torch.randint(_SEEDS, (), device=device))
        generators = torch.cuda.default_generators if device.type == "cuda" else (torch.default_generator,)
        generators[device.index or 0].manual_seed(seed)
        yield


class _First(nn.Module):
    """The first of several networks by itself."""

    def __init__(self, network: ForecastNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, **windows: Tensor) -> Tensor:
        """As `Member.forward()`."""
        return Member.forward(self.network, **windows)


def _decide(network: nn.Module, _: object) -> None:
    cast("ForecastNetwork", network).decide()


class _Known(nn.Module):
    """What is known ahead of each step, to an addition to the answer of that step."""

    def __init__(self, ahead: int, hidden: int, outputs: int) -> None:
        super().__init__()
        width = min(hidden, _KNOWN_WIDTH)
        self.direct = nn.Linear(ahead, outputs, bias=False)
        self.features, self.state = nn.Linear(ahead, width), nn.Linear(hidden, width, bias=False)
        self.mix = nn.Linear(width, outputs, bias=False)
        nn.init.zeros_(self.direct.weight)
        nn.init.zeros_(self.mix.weight)

    def forward(self, ahead: Tensor, states: Tensor) -> Tensor:
        """Shapes (batch, horizon, ahead) and (batch, horizon, hidden) to (batch, horizon, outputs)."""
        mixed: Tensor = self.mix(torch.relu(self.features(ahead) + self.state(states)))
        return mixed + self.direct(ahead)


def _answer(hidden: int, outputs: int) -> nn.Linear:
    """What maps states to numbers; the network begins as the simple forecast with narrow bands."""
    answer = nn.Linear(hidden, outputs)
    nn.init.zeros_(answer.bias)
    with torch.no_grad():
        answer.weight.mul_(0.1)
    return answer


def _ordered(raw: Tensor) -> Tensor:
    """Quantiles that never cross: the median, and gaps above 0 added up on both sides of it."""
    median = raw[..., MEDIAN : MEDIAN + 1]
    above = softplus(raw[..., MEDIAN + 1 :] - 2).cumsum(-1)
    below = softplus(raw[..., :MEDIAN].flip(-1) - 2).cumsum(-1).flip(-1)
    return torch.cat([median - below, median, median + above], dim=-1)


def _each(state: Any, change: Any) -> Any:
    return tuple(change(s) for s in state) if isinstance(state, tuple) else change(state)


def forecast_loss(
    outputs: Tensor, batch: OriginBatch, distribution: Distribution, log: Logarithm | None = None
) -> Loss:
    """The loss of what a network says, summed over observed steps.

    Args:
        outputs: As `ForecastNetwork.forward()` gives it: quantiles, the numbers of laws of counts, or both.
        batch: The windows.
        distribution: What the network learns.
        log: The scale of the windows and targets, where it is not the targets' own.
    """
    said, laws = parted(outputs)
    weight, losses = float(batch.seen.sum()), []
    if said is not None:
        free: Distribution = _FREE if distribution == "auto" else distribution
        losses.append(quantile_loss(said, batch, free, log).total)
    if laws is not None:
        y = batch.targets if log is None else batch.targets.double().exp() - log.offset
        counts = (y + batch.centre[:, None]).round().clamp(min=0)
        losses.append((negative_log_likelihood(laws, counts) * batch.seen).sum())
    return Loss(sum(losses[1:], losses[0]), weight)


def added_losses(losses: Sequence[Loss]) -> Loss:
    """The sum of the losses of several networks on the same steps, so that each has the gradient that it has alone."""
    first, *others = losses
    return Loss(sum((other.total for other in others), first.total), first.weight)


def quantile_loss(
    outputs: Tensor, batch: OriginBatch, distribution: Distribution, log: Logarithm | None = None
) -> Loss:
    r"""The sum over observed steps, in the window's measure.

    For free quantiles it is twice the mean over levels of $\rho_q(u) = \max(q u, (q - 1) u)$.

    Args:
        outputs: Quantiles in the targets' own unit, shape (batch, horizon, levels).
        batch: The windows.
        distribution: What the quantiles are of.
        log: The scale of the windows and targets, where it is not the targets' own.
    """
    if log is not None:
        outputs = (outputs + log.offset).clamp(min=_SMALLEST).log()
    if distribution == "free":
        levels = outputs.new_tensor(LEVELS)
        gap = (batch.targets[..., None] - outputs) / batch.scale[:, None, None]
        each = 2 * torch.maximum(levels * gap, (levels - 1) * gap).mean(-1)
    else:
        measured = (outputs - batch.level[:, None, None]) / batch.scale[:, None, None]
        y = (batch.targets - batch.level[:, None]) / batch.scale[:, None]
        each = score(measured, y, distribution)
    return Loss((each * batch.seen).sum(), float(batch.seen.sum()))
