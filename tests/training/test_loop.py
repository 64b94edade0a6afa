"""The training loop: its schedules, and what it counts and weighs in an epoch."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from gatework import tasks
from gatework.data.batches import training_order
from gatework.training import Progress, resume, train
from gatework.training.loop import Trainer, learning_rate
from gatework.training.ranks import Alone
from support.datasets import opinions, small
from support.stopping import StopAt


def test_schedules_rise_during_warmup_and_end_near_zero():
    for schedule, last in (("constant", 1.0), ("linear", 0.01), ("cosine", 0.001)):
        config = small(schedule=schedule, warmup=0.1, learning_rate=1.0).training
        rates = [learning_rate(config, step, 1000) for step in range(1000)]
        assert np.all(np.diff(rates[:101]) > 0)
        assert max(rates) == 1.0
        assert rates[-1] <= last
        assert np.all(np.diff(rates[101:]) <= 0)


def test_several_rounds_rise_and_fall_after_the_first_half():
    config = small(schedule="linear", warmup=0.1, learning_rate=1.0, rounds=3).training
    rates = np.array([learning_rate(config, step, 1000) for step in range(1000)])
    peaks = np.flatnonzero((rates[1:-1] > rates[:-2]) & (rates[1:-1] > rates[2:])) + 1
    assert peaks.tolist() == [50, 525, 775]
    np.testing.assert_allclose(rates[peaks], [1.0, 0.75, 0.75])
    assert max(rates[499], rates[749], rates[999]) < 0.01, "each ends near zero"


# With minutes, those that are left become fewer at half of them, and a round may be passed over.
@pytest.mark.parametrize(("jump", "quarters"), [(0.0, (2, 3, 4)), (0.25, (2, 3))])
def test_the_mean_of_the_weights_at_the_ends_of_rounds_answers(tmp_path, monkeypatch, jump, quarters):
    taken: list[dict[str, torch.Tensor]] = []
    step = Trainer._step

    def noted(trainer, *arguments):
        wish = step(trainer, *arguments)
        trainer.optimizer.catch_up()
        taken.append({name: tensor.detach().clone() for name, tensor in trainer.model.named_parameters()})
        return wish

    def share(trainer, step):
        done = step / (trainer.steps * trainer.config.epochs)
        return min(done + jump, 1.0) if done >= 0.5 else done

    monkeypatch.setattr(Trainer, "_share", share)
    monkeypatch.setattr(Trainer, "_step", noted)
    recipe = small(epochs=4, schedule="linear", rounds=3, best_weights=False)
    whole = train("classify", opinions(), out=tmp_path / "whole", recipe=recipe, threads=1)
    monkeypatch.setattr(Trainer, "_step", step)
    ends = [taken[len(taken) * part // 4 - 1] for part in quarters]
    for name, weights in whole.network.named_parameters():
        mean = torch.stack([end[name] for end in ends]).mean(0)
        torch.testing.assert_close(weights.detach(), mean, atol=1e-6, rtol=1e-5)
        assert not torch.allclose(mean, ends[-1][name], atol=1e-5), "which is not the last of them"
    with pytest.raises(KeyboardInterrupt):
        train(
            "classify", opinions(), out=tmp_path / "run", recipe=recipe, threads=1, progress=StopAt(3 * len(taken) // 4)
        )
    resumed = resume(tmp_path / "run", opinions())
    for name, weights in whole.network.state_dict().items():
        assert torch.equal(weights, resumed.network.state_dict()[name]), name


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
