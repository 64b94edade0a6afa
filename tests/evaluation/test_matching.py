"""Cells are widened until their networks have as many parameters as the largest one."""

from __future__ import annotations

import dataclasses

import pytest

from gatework import tasks
from gatework.evaluation.matching import matched_hidden, parameters
from support.datasets import waves


@pytest.fixture(scope="module")
def fitted():
    dataset, recipe = waves()
    return tasks.get(recipe.task).fit(dataset, recipe.data), recipe.model


def test_parameters_are_counted_without_making_them(fitted):
    task, config = fitted
    assert parameters(task, config) == sum(p.numel() for p in task.model(config).parameters())
    # 10 million units would need 1,600 TB.
    assert parameters(task, dataclasses.replace(config, hidden=10**7)) > 10**14


def test_no_other_size_comes_closer_to_the_largest_network(fitted):
    task, config = fitted
    sizes = matched_hidden(task, config, ("rnn", "gru", "lstm"))
    goal = parameters(task, dataclasses.replace(config, cell="lstm"))
    assert sizes["lstm"] == config.hidden
    for cell in ("rnn", "gru"):
        distances = {
            hidden: abs(parameters(task, dataclasses.replace(config, cell=cell, hidden=hidden)) - goal)
            for hidden in range(sizes[cell] - 1, sizes[cell] + 2)
        }
        assert distances[sizes[cell]] == min(distances.values())
        assert sizes[cell] > config.hidden
