"""The training loop: its schedules, and what it counts and weighs in an epoch."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gatework import tasks
from gatework.data.batches import training_order
from gatework.training import Progress
from gatework.training.loop import Trainer, learning_rate
from gatework.training.ranks import Alone
from support.datasets import opinions, small


def test_schedules_rise_during_warmup_and_end_near_zero():
    for schedule, last in (("constant", 1.0), ("linear", 0.01), ("cosine", 0.001)):
        config = small(schedule=schedule, warmup=0.1, learning_rate=1.0).training
        rates = [learning_rate(config, step, 1000) for step in range(1000)]
        assert np.all(np.diff(rates[:101]) > 0)
        assert max(rates) == 1.0
        assert rates[-1] <= last
        assert np.all(np.diff(rates[101:]) <= 0)


class Noted(Progress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, float]] = []
        self.epochs: list[dict[str, float]] = []

    def stepped(self, label, done, loss):
        self.steps.append((done, loss))

    def epoch_done(self, label, record):
        self.epochs.append(record)


@pytest.fixture
def trained(tmp_path):
    """A trainer that has run to its end on batches of unequal size, and what was told of it."""
    dataset, recipe, told = opinions(88), small(epochs=2, batch_size=8), Noted()
    task = tasks.get("classify").fit(dataset, recipe.data)
    trainer = Trainer(tmp_path, recipe, task, dataset, "run", told, Alone())
    return trainer, trainer.run(), told


def test_every_step_is_counted_once_from_one(trained):
    trainer, _, told = trained
    assert trainer.steps == 6  # 44 examples in batches of 8, the last of which has 4
    assert [done for done, _ in told.steps] == list(range(1, 13))


def test_what_follows_the_epochs_is_part_of_the_minutes(tmp_path, monkeypatch):
    dataset, recipe, told = opinions(16), small(epochs=50, batch_size=8, minutes=1000), Noted()
    task = tasks.get("classify").fit(dataset, recipe.data)
    monkeypatch.setattr(type(task), "seconds_besides", lambda *_: 29_500.0)
    trainer = Trainer(tmp_path, recipe, task, dataset, "run", told, Alone())
    trainer.state.seconds = 31_000.0
    trainer.run()
    assert len(told.epochs) == 1, "30,500 of 60,000 seconds were left to the epochs"


def test_an_epochs_loss_weighs_every_example_alike_and_not_every_batch(trained):
    trainer, _, told = trained
    config = trainer.config
    order = training_order(trainer.train.lengths, config.batch_size, config.seed, 1, config.bucket)
    losses, sizes = [loss for _, loss in told.steps[:6]], [len(batch) for batch in order]
    assert sorted(sizes) == [4, 8, 8, 8, 8, 8]
    assert told.epochs[0]["train_loss"] == pytest.approx(np.average(losses, weights=sizes), rel=1e-6)
    assert told.epochs[0]["train_loss"] != pytest.approx(np.mean(losses), rel=1e-6)


def test_the_network_that_comes_back_is_the_best_one_in_evaluation_mode(trained):
    trainer, model, told = trained
    assert not model.training
    evaluation = trainer.task.evaluate(model, trainer.validation)
    best = told.epochs[trainer.state.best_epoch - 1]
    assert (
        evaluation.metrics["accuracy"]
        == best["validation_accuracy"]
        == max(e["validation_accuracy"] for e in told.epochs)
    )
    assert evaluation.loss == pytest.approx(best["validation_loss"], rel=1e-6)


def test_what_was_told_stands_in_the_file(trained):
    trainer, _, told = trained
    lines = (trainer.folder / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == told.epochs
