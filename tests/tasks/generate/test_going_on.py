import pytest
import torch

from gatework import training
from gatework._files import read_tensors
from gatework.errors import UsageError
from support.datasets import opinions
from support.datasets import small as small_classifier
from support.texts import run as trained
from support.texts import sentences


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("first"), hidden=12)


@pytest.fixture
def other(tmp_path):
    path = tmp_path / "other.txt"
    path.write_text("\n".join(sentences(60, seed=5)).upper() + "日本" * 9, encoding="utf-8")
    return path


def test_a_training_goes_on_from_the_weights_the_tokens_and_the_size_of_a_run(run, other, tmp_path):
    changes = {"from_run": str(run.path), "epochs": 1, "learning_rate": 1e-12, "weight_drop": 0}
    again = training.train("generate", other, out=tmp_path / "again", threads=1, **changes)
    assert again.task.tokens == run.task.tokens
    assert again.recipe.model.hidden == 12
    before, after = (read_tensors(folder / "model.safetensors")[0] for folder in (run.path, again.path))
    for name, value in before.items():
        torch.testing.assert_close(after[name], value, atol=1e-6, rtol=0)


def test_a_resumed_run_does_not_begin_again(run, other, tmp_path):
    class Stops(training.Progress):
        def epoch_done(self, label, record):
            raise KeyboardInterrupt

    changes = {"from_run": str(run.path), "epochs": 2, "threads": 1}
    whole = training.train("generate", other, out=tmp_path / "whole", **changes)
    with pytest.raises(KeyboardInterrupt):
        training.train("generate", other, out=tmp_path / "cut", progress=Stops(), **changes)
    again = training.resume(tmp_path / "cut")
    assert (again.path / "model.safetensors").read_bytes() == (whole.path / "model.safetensors").read_bytes()


def test_what_is_no_language_model_is_one_sentence(other, tmp_path):
    with pytest.raises(UsageError, match="is no finished run"):
        training.train("generate", other, out=tmp_path / "run", from_run=str(tmp_path))
    training.train("classify", opinions(60), out=tmp_path / "labels", recipe=small_classifier(epochs=1), threads=1)
    with pytest.raises(UsageError, match='of the task "classify"'):
        training.train("generate", other, out=tmp_path / "run", from_run=str(tmp_path / "labels"))
