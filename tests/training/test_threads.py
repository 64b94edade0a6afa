"""How many threads a training takes where nobody says."""

import json

import pytest
import torch

from gatework import tasks, training
from gatework.errors import UsageError
from gatework.training import threads
from support.datasets import waves


def test_a_small_network_takes_one_thread_and_a_large_one_every_core(monkeypatch):
    monkeypatch.setattr(threads, "usable_cores", lambda: 6)
    data, recipe = waves()
    task = tasks.get("regress").fit(data, recipe.data)
    assert threads.chosen_threads(task, recipe, data) == 1
    wide = recipe.changed(hidden=256)
    assert threads.chosen_threads(task, wide, data) == 6
    assert threads.chosen_threads(task, wide, data, 3) == 3


def test_the_multiplications_are_counted_by_weight_step_and_sequence():
    data, recipe = waves()
    task = tasks.get("regress").fit(data, recipe.data)
    chosen = recipe.changed(cell="lstm", hidden=5, layers=2, batch_size=8)
    weights = 4 * 5 * (1 + 5) + 4 * 5 * (5 + 5)
    assert threads._multiplications(task, chosen, data) == weights * 99 * 8


def test_choosing_draws_no_random_number():
    data, recipe = waves()
    task = tasks.get("regress").fit(data, recipe.data)
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    threads.chosen_threads(task, recipe, data)
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_run_records_its_threads_and_a_wrong_number_writes_nothing(tmp_path):
    data, recipe = waves()
    training.train("regress", data, recipe=recipe.changed(epochs=1), out=tmp_path / "run", threads=2)
    assert json.loads((tmp_path / "run" / "environment.json").read_text())["threads"] == 2
    for wrong in (-1, 0, 100_000):
        with pytest.raises(UsageError, match=f"threads is {wrong}, expected at least 1"):
            training.train("regress", data, recipe=recipe, out=tmp_path / "other", threads=wrong)
    assert not (tmp_path / "other").exists()
