"""The nouns of what a task says: a loss, an evaluation, a simple method, scores."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gatework.formatting import number
from gatework.tasks._blend import NETWORK, NETWORK_ALONE
from gatework.tasks._metric import metric_title

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor

    from gatework.data.inputs import Inputs

LEVEL = 0.02
"""The share of a figure below which another is called as good, and not better: a test part tells no more."""


class Loss(NamedTuple):
    """The loss of a batch as a sum and what it is a sum over; batches and processes are added up before dividing.

    Attributes:
        total: The sum, a scalar that gradients flow back from.
        weight: How many terms it has: examples, values, tokens or frames, each as often as it counts.
        sums: What else is worth following in training, summed likewise: of a classifier how many answers are right, as
            "accuracy".
        carried: What the next batch of an epoch goes on from, without its gradient, where batches are windows of
            streams: tensors of the same shapes at every step, which `Batch.following()` is given.
    """

    total: Tensor
    weight: float
    sums: Mapping[str, float] = {}
    carried: tuple[Tensor, ...] = ()

    def mean(self) -> Tensor:
        """What a training step follows, a scalar; 0 for a batch without any term."""
        return self.total / (self.weight or 1.0)


@dataclass(frozen=True)
class Evaluation:
    """What a network says of examples, and how good that is.

    Attributes:
        loss: The mean loss, by the weights of `Loss`.
        metrics: By name, without a prefix.
        answers: One row per example, as `Task` says of its columns.
    """

    loss: float
    metrics: dict[str, float]
    answers: pl.DataFrame


@dataclass(frozen=True)
class Baseline:
    """A simple method that a network must beat.

    Attributes:
        name: As it stands in tables, such as "last value".
        about: One sentence: what it does.
        answers: What it says of the test part, with the columns of the network's answers.
        seconds: What fitting it took, in seconds.
        parameters: How many numbers it learnt; 0 where it learns nothing.
    """

    name: str
    about: str
    answers: pl.DataFrame
    seconds: float
    parameters: int = 0


@dataclass(frozen=True)
class Scores:
    """How good a trained network is on examples with known answers.

    Attributes:
        metrics: Of the network, by name.
        answers: What it says; None where only metrics are known.
        baselines: The metrics of simple methods on the same examples, by their names.
        test: The examples with what is known of them, one row each; None where only metrics are known.
        notes: What a person should know of the figures, one sentence each.
        breakdown: The figures of each class, where the answers were counted and not kept.
        examples: How many there were then.
        inputs: What was asked, where the examples were read for it.
    """

    metrics: dict[str, float]
    answers: pl.DataFrame | None = None
    baselines: Mapping[str, dict[str, float]] = field(default_factory=dict)
    test: pl.DataFrame | None = None
    notes: tuple[str, ...] = ()
    breakdown: pl.DataFrame | None = None
    examples: int = 0
    inputs: Inputs | None = None

    def better(self, metric: str, *, lower_is_better: bool) -> list[str]:
        """The others of `baselines` that do better by a metric, the best first; none where it is not known."""
        sign = 1 if lower_is_better else -1
        ours = sign * self.metrics[metric] if metric in self.metrics else -math.inf
        others = {name: sign * each[metric] for name, each in self.baselines.items() if metric in each}
        return sorted((name for name, error in others.items() if error < ours), key=others.__getitem__)

    def is_level(self, name: str, metric: str) -> bool:
        """Whether one of `baselines` differs by no more than `LEVEL` from what answers."""
        ours, theirs = self.metrics[metric], self.baselines[name][metric]
        return abs(ours - theirs) <= LEVEL * max(abs(ours), abs(theirs))

    def _repr_html_(self) -> str:
        """The figures in a notebook: a row for each metric, a column for each that answers."""
        figures = {"answer" if NETWORK_ALONE in self.baselines else NETWORK: self.metrics, **self.baselines}
        head = "".join(f"<th>{html.escape(name)}</th>" for name in figures)
        rows = "".join(
            f'<tr><th style="text-align:left">{html.escape(metric_title(metric))}</th>'
            + "".join(f"<td>{number(each.get(metric))}</td>" for each in figures.values())
            + "</tr>"
            for metric in self.metrics
        )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return f"{notes}<table><tr><th></th>{head}</tr>{rows}</table>"
