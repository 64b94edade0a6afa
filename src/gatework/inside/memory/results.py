"""What came of the measurement: as JSON, as a table and in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gatework.cells import get as get_cell
from gatework.inside.memory.experiment import SOLVED, MemoryPlan
from gatework.inside.memory.learning import Outcome
from gatework.inside.memory.problems import PROBLEMS, Digits


def summary(plan: MemoryPlan, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Every figure, as values that JSON can hold.

    Args:
        plan: What was measured.
        outcomes: What came of it.
    """
    problems = [_problem(plan, outcomes, name) for name in plan.spans]
    return {
        "title": f"memory: {', '.join(get_cell(cell).name for cell in plan.cells)}",
        "plan": plan.state(),
        "solved_from": SOLVED,
        "problems": problems,
        "verdict": verdict(problems, plan),
        "seconds": sum(outcome.seconds for outcome in outcomes),
    }


def _problem(plan: MemoryPlan, outcomes: Sequence[Outcome], name: str) -> dict[str, Any]:
    spans = plan.spans[name]
    by_trial = {(o.trial.cell, o.trial.seed, o.trial.span): o for o in outcomes if o.trial.problem == name}
    cells = []
    for cell in plan.cells:
        shares = [
            [
                by_trial[cell, seed, span].solved if (cell, seed, span) in by_trial else None
                for seed in range(plan.seeds)
            ]
            for span in spans
        ]
        of_cell = [o for (who, _, _), o in by_trial.items() if who == cell]
        longest = [_longest(spans, [rung[seed] for rung in shares]) for seed in range(plan.seeds)]
        cells.append(
            {
                "name": get_cell(cell).name,
                "shares": shares,
                "longest": longest,
                "learnt_by_all": min(longest),
                "seconds": sum(o.seconds for o in of_cell),
            }
        )
    is_ladder = not issubclass(PROBLEMS[name], Digits)
    return {"name": name, "is_ladder": is_ladder, "spans": list(spans), "batches": plan.batches[name], "cells": cells}


def _longest(spans: Sequence[int], shares: Sequence[float | None]) -> int:
    """The longest span learnt, with every shorter one; 0 where not even the shortest was."""
    longest = 0
    for span, share in zip(spans, shares, strict=True):
        if share is None or share < SOLVED:
            break
        longest = span
    return longest


def verdict(problems: Sequence[dict[str, Any]], plan: MemoryPlan) -> str:
    """The outcome in a few sentences."""
    return " ".join(_ladder_sentence(p, plan) if p["is_ladder"] else _accuracy_sentence(p) for p in problems)


def _ladder_sentence(problem: dict[str, Any], plan: MemoryPlan) -> str:
    top = problem["spans"][-1]
    parts = []
    for cell in sorted(problem["cells"], key=lambda c: (-c["learnt_by_all"], -max(c["longest"]))):
        low, high = cell["learnt_by_all"], max(cell["longest"])
        if not high:
            parts.append(f"{cell['name']} learns not even {problem['spans'][0]}")
        elif low == high:
            which = f"the longest tried, {top}" if low == top else str(low)
            every = (", with every seed" if low == top else " with every seed") if plan.seeds > 1 else ""
            parts.append(f"{cell['name']} learns {which}{every}")
        else:
            parts.append(f"{cell['name']} {low or 'nothing'} to {high}, depending on the seed")
    return f"{problem['name'].capitalize()}, longest span: {'; '.join(parts)}."


def _accuracy_sentence(problem: dict[str, Any]) -> str:
    means = {cell["name"]: float(np.mean(cell["shares"][0])) for cell in problem["cells"]}
    listed = ", ".join(f"{name} {100 * mean:.1f} %" for name, mean in sorted(means.items(), key=lambda item: -item[1]))
    return f"{problem['name'].capitalize()}, test accuracy: {listed}."
