r"""What each step of the input contributed to a prediction.

- Gradient x input: $\sum_k x_{t,k} \, \partial F / \partial x_{t,k}$, exact for a function that is linear in the input.
- Integrated gradients: the same with the gradient averaged on the straight way from a baseline $x'$ to $x$,
  $\sum_k (x_{t,k} - x'_{t,k}) \int_0^1 \partial F / \partial x_{t,k} (x' + \alpha (x - x')) \, d\alpha$, whose sum over
  the steps is $F(x) - F(x')$.

For texts $x_t$ is the token's vector and the baseline zero; for series $x_t$ are the values as the network reads them,
and zero is the training mean where the recipe scales. $F$ is the log-odds of a class,
$s_c - \log \sum_{k \ne c} e^{s_k}$, or the value that is predicted.

Source: M. Sundararajan, A. Taly and Q. Yan, "Axiomatic attribution for deep networks", ICML 2017.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from gatework.data.dataset import Batch
from gatework.errors import UsageError
from gatework.inside._probe import probe
from gatework.inside._sources import answered, read, recurrent_of, sequence_task
from gatework.nn import RecurrentLayer
from gatework.training.run import Run

if TYPE_CHECKING:
    import polars as pl

Method = Literal["gradient x input", "integrated gradients"]
# Points of the integral that are computed in one batch.
_TOGETHER = 64
METHODS: tuple[Method, ...] = ("gradient x input", "integrated gradients")


@dataclass(frozen=True)
class Attribution:
    """What each step of one example contributed.

    Attributes:
        method: How it was measured.
        target: What was explained: a class's name, or "value" and the output's number.
        values: The contribution of each step, shape (time,); above zero speaks for the target.
        steps: What each step reads; empty where nothing is known.
        output: $F(x)$.
        baseline: $F(x')$, for integrated gradients; the contributions add up to `output - baseline` but for the error
            of the integral.
    """

    method: Method
    target: str
    values: np.ndarray
    steps: tuple[str, ...]
    output: float
    baseline: float | None = None

    def table(self) -> pl.DataFrame:
        """Columns `step, reads, contribution`, in the order of the steps."""
        import polars as pl

        steps = self.steps or tuple(str(k) for k in range(1, len(self.values) + 1))
        return pl.DataFrame({"step": np.arange(len(self.values)), "reads": steps, "contribution": self.values})


def attribute(
    source: Run | nn.Module,
    example: Any,
    *,
    target: str | int | None = None,
    method: Method = "integrated gradients",
    points: int = 64,
) -> Attribution:
    """What each step of one example contributed to the prediction.

    Args:
        source: A run; or a network with one recurrent layer whose output is (1, outputs).
        example: One text or series for a run; for a network, a Batch of one, or the input of a bare
            layer (three dimensions, one sequence), whose last `h` is explained.
        target: The class, by name or number, or the number of the output; the predicted class, or the first output, if
            None.
        method: "gradient x input" or "integrated gradients".
        points: Points of the midpoint rule on the way from the baseline.

    Raises:
        UsageError: There is more than one example, or no such class or method.
    """
    if method not in METHODS:
        raise UsageError(f'the method is "{method}", expected one of {", ".join(METHODS)}')
    classes: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    network: Any = source
    batch = example
    if isinstance(source, Run):
        reading = read(source, example)
        if len(reading.steps) != 1:
            raise UsageError(f"an attribution explains one prediction; got {len(reading.steps)} examples, give one")
        network, batch, steps = source.network, reading.batch, reading.steps[0]
        classes = sequence_task(source).classes
    layer = recurrent_of(network)
    score, name, output = _score(network, batch, target, classes)
    shares = np.ones(1) if method == METHODS[0] else (np.arange(points) + 0.5) / points
    x, gradient = _mean_gradient(network, layer, batch, score, shares)
    values = (x * gradient).sum(-1).numpy()
    if method == METHODS[0]:
        return Attribution(method, name, values, steps, output)
    with torch.no_grad():
        baseline = float(score(_rows(probe(network, batch, torch.zeros_like, is_watched=False).outputs)))
    return Attribution(method, name, values, steps, output, baseline)


def _score(
    network: Any, batch: Any, target: str | int | None, classes: tuple[str, ...]
) -> tuple[Callable[[Tensor], Tensor], str, float]:
    """What is explained: as a function of outputs of shape (examples, outputs), its name, and its value."""
    with torch.no_grad():
        rows = _rows(answered(network, batch))
    if len(rows) != 1:
        raise UsageError(f"an attribution explains one prediction; got {len(rows)} examples, give one")
    chosen = _chosen(target, classes, rows[0])

    def log_odds(outputs: Tensor) -> Tensor:
        others = torch.cat([outputs[:, :chosen], outputs[:, chosen + 1 :]], dim=1)
        return outputs[:, chosen] - others.logsumexp(1)

    def value(outputs: Tensor) -> Tensor:
        return outputs[:, chosen]

    score = log_odds if classes else value
    return score, classes[chosen] if classes else f"value {chosen + 1}", float(score(rows))


def _chosen(target: str | int | None, classes: tuple[str, ...], outputs: Tensor) -> int:
    if target is None:
        return int(outputs.argmax()) if classes else 0
    if isinstance(target, str):
        if target not in classes:
            raise UsageError(f'there is no class "{target}": there is {", ".join(classes) or "no class at all"}')
        return classes.index(target)
    if not 0 <= target < len(outputs):
        raise UsageError(f"target is {target}, expected 0 to {len(outputs) - 1}")
    return target


def _rows(outputs: Any) -> Tensor:
    """Outputs of shape (examples, outputs); of a bare layer, the last `h` of its top layer."""
    if not isinstance(outputs, tuple):
        return outputs
    state = outputs[1]
    last: Tensor = (state[0] if isinstance(state, tuple) else state)[-1]
    return last if last.dim() == 2 else last.unsqueeze(0)


def _mean_gradient(
    network: Any, layer: RecurrentLayer, batch: Any, score: Callable[[Tensor], Tensor], shares: np.ndarray
) -> tuple[Tensor, Tensor]:
    """The recurrent layer's own input x, and the mean of the score's gradient at these shares of x: (time, input)."""
    sequences = 0 if layer.batch_first else 1  # the dimension of the batch in the layer's input
    total, x = torch.zeros(()), torch.zeros(())
    for part in np.array_split(shares, -(-len(shares) // _TOGETHER)):
        factor = torch.from_numpy(part).reshape(-1, 1, 1).transpose(0, sequences)
        with torch.enable_grad():
            same = _repeated(batch, len(part), sequences)
            probed = probe(network, same, partial(_scaled, factor), is_watched=False)
            (gradient,) = torch.autograd.grad(score(_rows(probed.outputs)).sum(), probed.inputs)
        total = total + gradient.sum(sequences) / len(shares)
        x = (probed.inputs.detach() / factor.to(gradient)).select(sequences, 0)
    return x, total


def _scaled(factor: Tensor, values: Tensor) -> Tensor:
    return values * factor.to(values)


def _repeated(batch: Any, times: int, sequences: int) -> Any:
    """A batch of one example as so many equal ones."""
    if isinstance(batch, Batch):
        fields = (batch.inputs, batch.lengths, batch.targets)
        return Batch(*(f.repeat(times, *[1] * (f.dim() - 1)) for f in fields))
    return batch.repeat_interleave(times, dim=sequences)
