"""Training on another device than the processor: on a GPU where torch finds one, and on one that is pretended."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from gatework import training
from gatework._files import read_tensors
from gatework.data.dataset import Dataset, Split
from gatework.errors import UsageError
from gatework.options import TrainingOptions
from gatework.recipe import Recipe
from gatework.training import optimizer, runtime
from support.datasets import opinions, small, waves
from support.pretended_device import DEVICE, pretended_device
from support.task_battery import CutOff, CutsOff

NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU here")


@contextlib.contextmanager
def elsewhere(kind: str) -> Iterator[None]:
    """Trainings compute on a GPU, or on a device that is pretended."""
    with pytest.MonkeyPatch.context() as patch:
        where = DEVICE if kind == "pretended" else torch.device(kind)
        patch.setattr(runtime, "device", lambda *_: where)
        if kind != "pretended":
            # cuDNN else multiplies with 10 bits of a number's 23.
            patch.setattr(torch.backends.cudnn, "allow_tf32", False)
            yield
            return
        patch.setattr(torch, "is_autocast_enabled", lambda *_: False)  # torch knows of no autocast there
        patch.setattr(optimizer, "_SMALL", -1)  # a pretended parameter cannot become a view of another tensor
        with pretended_device():
            yield


def values() -> tuple[Dataset, Recipe]:
    """Series of six steps with a value each."""
    random = np.random.default_rng(0)
    parts = [Split(random.normal(size=(8, 6, 1)).astype(np.float32), random.normal(size=(8, 1)).astype(np.float32))] * 3
    return Dataset.of("made", *parts), waves()[1].changed(layer_norm=True)


def texts() -> tuple[Dataset, Recipe]:
    """Texts with classes, whose network carries what its scores are calibrated by."""
    return opinions(40), small(blend=False, bidirectional=False, adversarial=0.05, class_weights="balanced")


@pytest.mark.parametrize("case", [values, texts], ids=lambda case: case.__name__)
@pytest.mark.parametrize(
    ("kind", "cell"),
    [("pretended", "lstm"), pytest.param("cuda", "lstm", marks=NO_GPU), pytest.param("cuda", "peephole", marks=NO_GPU)],
)
@pytest.mark.filterwarnings("ignore:.*copying from a non-meta parameter", "ignore:RNN module weights are not part")
def test_a_training_elsewhere_ends_with_the_weights_of_one_here_and_resumes_bit_for_bit(tmp_path, kind, cell, case):
    dataset, recipe = case()
    recipe = recipe.changed(epochs=2, hidden=4, layers=1, dropout=0.0, embedding_dropout=0.0, cell=cell)
    here = training.train(recipe.task, dataset, out=tmp_path / "here", recipe=recipe, threads=1)
    with elsewhere(kind):
        there = training.train(recipe.task, dataset, out=tmp_path / "there", recipe=recipe, threads=1)
        cuts = CutsOff(there)
        with pytest.raises(CutOff):
            training.train(recipe.task, dataset, out=tmp_path / "cut", recipe=recipe, threads=1, progress=cuts)
        again = training.resume(tmp_path / "cut", dataset)
    expected, found, resumed = (read_tensors(run.path / "model.safetensors")[0] for run in (here, there, again))
    for name, value in found.items():
        torch.testing.assert_close(value, expected[name], rtol=1e-3, atol=1e-5)
        assert torch.equal(value, resumed[name])
    metric = next(iter(here.summary["metrics"]))
    assert there.summary["metrics"][metric] == pytest.approx(here.summary["metrics"][metric], rel=1e-3)


@pytest.mark.skipif(torch.cuda.is_available(), reason="torch finds a GPU here")
def test_a_gpu_that_is_not_there_is_a_sentence(tmp_path):
    dataset, recipe = waves()
    with pytest.raises(UsageError, match=r"torch finds no GPU that it can use; install .* or take cpu"):
        training.train("regress", dataset, out=tmp_path / "run", recipe=recipe, device="cuda")
    assert not (tmp_path / "run").exists()


def test_several_processes_do_not_share_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(UsageError, match="2 processes would share it"):
        runtime.device(TrainingOptions(device="cuda"), processes=2)
