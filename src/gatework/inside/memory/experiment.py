"""Every cell on every problem, over growing spans, until a network no longer learns one within the budget."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatework._files import write_text
from gatework.cells import resolved
from gatework.errors import RunError
from gatework.evaluation.plans import check_cells_and_seeds, claim
from gatework.evaluation.processes import interrupts_later, process_pool, stop
from gatework.inside.memory.learning import Outcome, Trial, climb
from gatework.training import runtime

SOLVED = 0.95
"""A span is learnt if this share of the unseen test sequences is right."""
ENOUGH = 0.98
"""Training on a span ends before its budget once this share of some sequences is right."""


@dataclass(frozen=True)
class MemoryPlan:
    """What is measured.

    Attributes:
        cells: Names of registered cells, or `FILE.py:NAME`, each of another name.
        seeds: How many seeds, counted from 0.
        spans: By problem, the spans to try, shortest first.
        batches: By problem, the budget of batches for each span.
        hidden: Units of every network.
        batch_size: Sequences per batch.
        learning_rate: Adam's at its highest.
        forget_bias: What the LSTM's forget gate starts from.
    """

    cells: tuple[str, ...] = ("rnn", "gru", "lstm")
    seeds: int = 3
    spans: dict[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    batches: dict[str, int] = dataclasses.field(default_factory=dict)
    hidden: int = 32
    batch_size: int = 32
    learning_rate: float = 0.01
    forget_bias: float = 2.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "cells", tuple(resolved(cell) for cell in self.cells))
        check_cells_and_seeds(self.cells, self.seeds)

    @property
    def ladders(self) -> list[tuple[Trial, ...]]:
        """For every problem, seed and cell the spans that one network climbs."""
        return [
            tuple(self._trial(problem, cell, seed, span) for span in spans)
            for problem, spans in self.spans.items()
            for seed in range(self.seeds)
            for cell in self.cells
        ]

    def _trial(self, problem: str, cell: str, seed: int, span: int) -> Trial:
        return Trial(
            problem=problem,
            span=span,
            cell=cell,
            seed=seed,
            hidden=self.hidden,
            batches=self.batches[problem],
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            forget_bias=self.forget_bias,
            enough=ENOUGH,
        )

    def state(self) -> dict[str, Any]:
        """The plan as values that JSON can hold."""
        return json.loads(json.dumps(dataclasses.asdict(self)))


DEFAULT = MemoryPlan(
    spans={
        "adding": (10, 25, 50, 100, 200, 400),
        "copy": (1, 5, 10, 20, 40),
        "digits, rows": (8,),
        "digits, pixels": (64,),
        "digits, permuted": (64,),
    },
    batches={"adding": 1500, "copy": 4000, "digits, rows": 600, "digits, pixels": 1000, "digits, permuted": 1000},
)
_RUNGS = {"adding": 2, "copy": 2, "digits, rows": 1}
# The first rungs of the same ladders with the same budgets and seed: what a smaller budget for shorter spans measures
# is who learns fast, and on the copy task that is the reverse of who remembers long.
QUICK = dataclasses.replace(
    DEFAULT,
    seeds=1,
    spans={problem: DEFAULT.spans[problem][:rungs] for problem, rungs in _RUNGS.items()},
    batches={problem: DEFAULT.batches[problem] for problem in _RUNGS},
)


def measure(
    plan: MemoryPlan, out: Path, *, workers: int = 1, told: Callable[[Outcome], None] | None = None
) -> list[Outcome]:
    """Climbs every ladder; what was measured before an interruption is kept and not measured again.

    Args:
        plan: What is measured.
        out: The folder; `plan.json` and `outcomes.jsonl` are written into it.
        workers: Processes, of one thread each.
        told: Is told each outcome as it arrives.

    Returns:
        Every outcome, in the order of the plan.

    Raises:
        RunError: The folder holds something else, or the measurement of another plan.
        TrainingError: A process was ended from outside.
        KeyboardInterrupt: The process was told to stop; the same call goes on.
    """
    claim(out, plan.state())
    outcomes = read_outcomes(out)
    known = {outcome.trial for outcome in outcomes}
    ladders = [ladder for ladder in plan.ladders if ladder[0] not in known]

    def arrived(climbed: Sequence[Outcome]) -> None:
        outcomes.extend(climbed)
        lines = "".join(json.dumps(dataclasses.asdict(outcome)) + "\n" for outcome in outcomes)
        write_text(out / "outcomes.jsonl", lines)
        for outcome in climbed:
            if told:
                told(outcome)

    if workers == 1:
        with runtime.computing(1):
            for ladder in ladders:
                arrived(climb(ladder, SOLVED))
    elif ladders:
        _climb_together(ladders, arrived, workers)
    order = {trial: place for place, trial in enumerate(trial for ladder in plan.ladders for trial in ladder)}
    return sorted(outcomes, key=lambda outcome: order[outcome.trial])


def _climb_together(
    ladders: Sequence[tuple[Trial, ...]], arrived: Callable[[list[Outcome]], None], workers: int
) -> None:
    """Climbs several ladders at once, each in one of so many processes."""
    with process_pool(min(workers, len(ladders)), runtime.prepare, 1) as pool:
        try:
            with interrupts_later():
                futures = [pool.submit(climb, ladder, SOLVED) for ladder in ladders]
            for future in as_completed(futures):
                arrived(pool.result_of(future))
        except KeyboardInterrupt:
            stop(pool)
            raise


def read_outcomes(out: Path) -> list[Outcome]:
    """What a folder holds of measurements.

    Raises:
        RunError: The file is corrupt.
    """
    file = out / "outcomes.jsonl"
    if not file.exists():
        return []
    try:
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        return [Outcome(**{**line, "trial": Trial(**line["trial"])}) for line in lines]
    except (ValueError, TypeError, KeyError) as error:
        raise RunError(f"{file} is corrupt ({error}); delete it to measure anew") from None
