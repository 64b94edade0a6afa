"""Widening cells so that their networks have equally many parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch

from gatework.options import ModelOptions
from gatework.tasks import Task


def parameters(task: Task, config: ModelOptions) -> int:
    """How many numbers a network of this configuration learns; nothing is allocated."""
    with torch.device("meta"):
        return sum(p.numel() for p in task.model(config).parameters())


def matched_hidden(task: Task, config: ModelOptions, cells: Sequence[str]) -> dict[str, int]:
    """The hidden size of each cell at which its network comes closest to the largest one's parameter count.

    Args:
        task: The task, fitted.
        config: The model; its `hidden` is kept by the cell with the most parameters.
        cells: Names of registered cells.
    """
    configs = {cell: dataclasses.replace(config, cell=cell) for cell in cells}
    counts = {cell: parameters(task, c) for cell, c in configs.items()}
    goal = max(counts.values())
    return {cell: config.hidden if counts[cell] == goal else _closest(task, configs[cell], goal) for cell in cells}


def _closest(task: Task, config: ModelOptions, goal: int) -> int:
    def count(hidden: int) -> int:
        return parameters(task, dataclasses.replace(config, hidden=hidden))

    low, high = config.hidden, 2 * config.hidden
    while count(high) < goal:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) < goal else (low, middle)
    return low if goal - count(low) < count(high) - goal else high
