"""One network that learns one problem of one span, with fresh sequences in every batch."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gatework.inside.memory.problems import PROBLEMS, Drawn, Problem
from gatework.nn import recurrent

TEST_SEQUENCES = 2560
_CHECK_SEQUENCES = 256
_CHECK_EVERY = 100
_SEED = 97
# Spans of test sequences and training ones are drawn by different generators.
_TEST_SEED = 1_000_003


@dataclass(frozen=True)
class Trial:
    """What is tried, with the same budget for every cell.

    Attributes:
        problem: A problem's name.
        span: Its span.
        cell: The cell.
        seed: Seeds weights and sequences.
        hidden: Units.
        batches: The budget: so many batches at most.
        batch_size: Sequences per batch.
        learning_rate: Adam's.
        forget_bias: What the forget gate's bias starts from, for cells that have one.
        enough: Training ends before the budget once this share is right; the test decides.
    """

    problem: str
    span: int
    cell: str
    seed: int
    hidden: int
    batches: int
    batch_size: int
    learning_rate: float
    forget_bias: float
    enough: float


@dataclass(frozen=True)
class Outcome:
    """What came of a trial.

    Attributes:
        trial: The trial.
        solved: The share of unseen test sequences that are right.
        batches: Batches that were needed, or the whole budget.
        seconds: What it took.
    """

    trial: Trial
    solved: float
    batches: int
    seconds: float


class Recaller(nn.Module):
    """A recurrent layer and a linear output, on the last state or on each of the last steps."""

    def __init__(self, problem: Problem, trial: Trial) -> None:
        super().__init__()
        self.recalled = problem.recalled
        self.recurrent = recurrent(
            trial.cell, problem.features, trial.hidden, forget_bias=trial.forget_bias, orthogonal=True
        )
        self.output = nn.Linear(trial.hidden, problem.outputs)

    def forward(self, drawn: Drawn) -> Tensor:
        """Outputs of shape (batch, outputs), or (recalled, batch, outputs)."""
        sequence, state = self.recurrent(drawn.inputs, lengths=drawn.lengths)
        last = (state[0] if isinstance(state, tuple) else state)[-1]
        found: Tensor = self.output(sequence[-self.recalled :] if self.recalled else last)
        return found


def learn(trial: Trial) -> Outcome:
    """Trains until enough sequences are right or the budget is spent, and tests on unseen sequences."""
    started = time.perf_counter()
    problem = PROBLEMS[trial.problem](trial.span)
    random = np.random.default_rng((_SEED, trial.seed, trial.span))
    torch.manual_seed(trial.seed)
    network = Recaller(problem, trial)
    optimizer = torch.optim.Adam(network.parameters(), trial.learning_rate)
    done = trial.batches
    for batch in range(1, trial.batches + 1):
        # The learning rate falls to a tenth, so that the last batches refine what was found.
        optimizer.param_groups[0]["lr"] = trial.learning_rate * 0.1 ** (batch / trial.batches)
        drawn = problem.draw(random, trial.batch_size)
        optimizer.zero_grad(set_to_none=True)
        loss = problem.loss(network(drawn), drawn)
        loss.backward()
        if not math.isfinite(float(nn.utils.clip_grad_norm_(network.parameters(), 1.0))):
            done = batch
            break
        optimizer.step()
        if batch % _CHECK_EVERY == 0 and _share(network, problem, trial, _CHECK_SEQUENCES) >= trial.enough:
            done = batch
            break
    solved = _share(network, problem, trial, TEST_SEQUENCES, is_test=True)
    return Outcome(trial, solved, done, time.perf_counter() - started)


def _share(network: Recaller, problem: Problem, trial: Trial, count: int, *, is_test: bool = False) -> float:
    """The share of sequences that are right: fresh ones while training, or the test's own."""
    seed = _TEST_SEED if is_test else _SEED
    drawn = problem.draw(np.random.default_rng((seed, trial.seed, trial.span, count)), count, is_test=is_test)
    with torch.no_grad():
        return problem.solved(network(drawn), drawn)
