"""One network that learns one problem over growing spans, with fresh sequences in every batch."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
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
        scores: Tensor = self.output(sequence[-self.recalled :] if self.recalled else last)
        return scores


def climb(trials: Sequence[Trial], least: float) -> list[Outcome]:
    """Learns one span after the other with the same network, which keeps what it learnt on the shorter ones.

    Args:
        trials: The same problem, cell and seed at growing spans.
        least: The share of test sequences that must be right to go on to the next span.

    Returns:
        What came of each trial, up to the first that was not learnt.
    """
    torch.manual_seed(trials[0].seed)
    problem = PROBLEMS[trials[0].problem](trials[0].span)
    network = Recaller(problem, trials[0])
    with torch.no_grad():
        # A cell of a person's own is compiled on first use, which is no part of what learning takes.
        network(problem.draw(np.random.default_rng(_SEED), 1))
    outcomes = []
    for trial in trials:
        outcomes.append(learn(trial, network))
        if outcomes[-1].solved < least:
            break
    return outcomes


def learn(trial: Trial, network: Recaller) -> Outcome:
    """Trains a network until enough sequences are right or the budget is spent, and tests it on unseen sequences."""
    started = time.perf_counter()
    problem = PROBLEMS[trial.problem](trial.span)
    random = np.random.default_rng((_SEED, trial.seed, trial.span))
    optimizer = torch.optim.Adam(network.parameters(), trial.learning_rate)
    done = trial.batches
    for batch in range(1, trial.batches + 1):
        # The learning rate falls to a tenth, so that the last batches refine what was found.
        optimizer.param_groups[0]["lr"] = trial.learning_rate * 0.1 ** (batch / trial.batches)
        if not _step(network, problem, problem.draw(random, trial.batch_size), optimizer):
            done = batch
            break
        if batch % _CHECK_EVERY == 0 and _share(network, problem, trial, _CHECK_SEQUENCES) >= trial.enough:
            done = batch
            break
    solved = _share(network, problem, trial, TEST_SEQUENCES, is_test=True)
    return Outcome(trial, solved, done, time.perf_counter() - started)


def _step(network: Recaller, problem: Problem, drawn: Drawn, optimizer: torch.optim.Optimizer) -> bool:
    """One step of training; False where the gradient is no longer a number."""
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(problem.loss(network(drawn), drawn))
    norm = nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    if not math.isfinite(float(norm)):
        return False
    optimizer.step()
    return True


def _share(network: Recaller, problem: Problem, trial: Trial, count: int, *, is_test: bool = False) -> float:
    """The share of sequences that are right: fresh ones while training, or the test's own."""
    seed = _TEST_SEED if is_test else _SEED
    drawn = problem.draw(np.random.default_rng((seed, trial.seed, trial.span, count)), count, is_test=is_test)
    with torch.no_grad():
        return problem.solved(network(drawn), drawn)
