import json
import math
from dataclasses import replace

import pytest
import torch

from gatework import training
from gatework.errors import RunError, TrainingError
from gatework.training.loop import Trainer
from gatework.training.optimizer import Adam
from gatework.training.progress import Progress
from gatework.training.ranks import Alone
from support.datasets import opinions, small


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    return training.train("classify", opinions(), out=path, recipe=small(epochs=4), threads=1)


def test_a_finished_run_holds_what_the_contract_says(finished):
    names = {file.name for file in finished.path.iterdir()}
    assert {
        *(
            "recipe.toml",
            "environment.json",
            "metrics.jsonl",
            "model.safetensors",
            "checkpoint",
            "summary.json",
            "task.json",
        )
    } <= names
    lines = [json.loads(line) for line in (finished.path / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4]
    environment = json.loads((finished.path / "environment.json").read_text())
    assert environment["seed"] == 0
    assert environment["data"] == opinions().provenance.fingerprint
    assert environment["versions"]["torch"] == torch.__version__


def test_the_best_weights_are_kept_and_give_the_recorded_metrics(finished):
    data = opinions()
    scores = [json.loads(line) for line in (finished.path / "metrics.jsonl").read_text().splitlines()]
    best = max(line["validation_accuracy"] for line in scores)
    opened = training.Run.open(finished.path)
    # Only the network: the linear model that answers beside it has learnt from the validation part.
    alone = replace(opened.task, chosen=None)
    assert alone.evaluate(opened.network, alone.encode(data.validation)).metrics["accuracy"] == best
    assert {f"test_{k}": v for k, v in opened.evaluate(data.test).metrics.items()} == opened.summary["metrics"]


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(finished, tmp_path):
    again = training.train("classify", opinions(), out=tmp_path / "again", recipe=small(epochs=4), threads=1)
    other = training.train("classify", opinions(), out=tmp_path / "other", recipe=small(epochs=4, seed=1), threads=1)
    weights = [(run.path / "model.safetensors").read_bytes() for run in (finished, again, other)]
    assert weights[0] == weights[1] != weights[2]


def test_early_stopping_ends_the_run_when_nothing_gets_better(tmp_path):
    run = training.train(
        "classify", opinions(), out=tmp_path / "run", recipe=small(epochs=30, patience=2, learning_rate=0.3), threads=1
    )
    assert run.summary["epochs"] == run.summary["best_epoch"] + 2 < 30


def test_of_epochs_that_are_as_right_the_one_with_the_lower_loss_is_kept(tmp_path):
    recipe = small(epochs=9, learning_rate=0.05, seed=1, dropout=0.0)
    run = training.train("classify", opinions(), out=tmp_path / "run", recipe=recipe, threads=1)
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    best = max(line["validation_accuracy"] for line in lines)
    tied = [line for line in lines if line["validation_accuracy"] == best]
    kept = min(tied, key=lambda line: line["validation_loss"])
    assert len(tied) > 1
    assert run.summary["best_epoch"] == kept["epoch"]
    alone = replace(run.task, chosen=None)
    loss = alone.evaluate(run.network, alone.encode(opinions().validation)).loss
    assert loss == pytest.approx(kept["validation_loss"], rel=1e-6)


@pytest.mark.parametrize(("loss", "is_better"), [(0.4, True), (0.6, False)])
def test_of_equal_scores_the_lower_loss_is_the_better(finished, tmp_path, loss, is_better):
    trainer = Trainer(tmp_path, finished.recipe, finished.task, opinions(), "run", Progress(), Alone())
    trainer.state.best, trainer.state.best_epoch = 0.9, 1
    trainer.state.history = [{"validation_loss": 0.5}]
    assert trainer._is_best(0.9, loss) == is_better
    assert trainer._is_best(0.91, 0.6)
    assert not trainer._is_best(0.89, 0.4)


def test_a_score_that_is_no_number_is_worse_than_any(finished, tmp_path):
    trainer = Trainer(tmp_path, finished.recipe, finished.task, opinions(), "run", Progress(), Alone())
    trainer.state.best, trainer.state.best_epoch = math.nan, 1
    trainer.state.history = [{"validation_loss": 0.5}]
    assert trainer._is_best(0.1, 0.6)
    assert trainer._is_best(math.nan, 0.4)
    assert not trainer._is_best(math.nan, 0.6)
    trainer.state.best = 0.1
    assert not trainer._is_best(math.nan, 0.4)


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_state(tmp_path):
    data = opinions()
    path = tmp_path / "run"

    class Poison(training.Progress):
        """Makes one weight infinite after the second epoch, as a diverging run would."""

        def epoch_done(self, label, record):
            if record["epoch"] == 2:
                poisoned.append(True)

    poisoned: list[bool] = []
    original = Adam.step

    def step(self, learning_rate):
        original(self, learning_rate)
        if poisoned:
            with torch.no_grad():
                self.tensors[-1].fill_(math.inf)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Adam, "step", step)
        with pytest.raises(
            TrainingError, match=r"at step 2 of epoch 3; the state before it is kept in .*; try a lower"
        ):
            training.train("classify", data, out=path, recipe=small(epochs=4), threads=1, progress=Poison())
    assert len((path / "metrics.jsonl").read_text().splitlines()) == 2
    resumed = training.resume(path, data)
    assert math.isfinite(resumed.summary["validation"]["validation_loss"])


def test_a_corrupt_checkpoint_is_one_sentence(tmp_path):
    class Stop(training.Progress):
        def epoch_done(self, label, record):
            raise KeyboardInterrupt

    path = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        training.train("classify", opinions(), out=path, recipe=small(), threads=1, progress=Stop())
    state = path / "checkpoint" / "state.safetensors"
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(RunError, match=r"state\.safetensors is corrupt"):
        training.resume(path, opinions())
