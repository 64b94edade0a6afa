"""What other people's tools hear of a training."""

import json
import struct
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import gatework
from gatework.data import Dataset, Split
from gatework.errors import UsageError
from gatework.training import logs
from gatework.training.progress import Progress


@pytest.fixture
def dataset():
    x = np.random.default_rng(0).normal(size=(12, 5, 1))
    part = Split(x, x[:, -1].astype(np.float32))
    return Dataset.of("noise", part, part, part)


def trained(dataset, out, told):
    return gatework.train("regress", dataset, out=out, epochs=2, hidden=3, threads=1, progress=told)


def test_event_files_hold_every_figure_at_its_step_and_what_the_settings_came_to(dataset, tmp_path):
    pytest.importorskip("tensorboardX", reason="tensorboardX is not installed (gatework[tensorboard])")
    with logs.logged("tensorboard", tmp_path / "run", Progress()) as told:
        run = trained(dataset, tmp_path / "run", told)
    values = {}
    for file in sorted((run.path / "tensorboard").rglob("*tfevents*")):
        for event in events(file.read_bytes()):
            values |= {(value.tag, event.step): value.simple_value for value in event.summary.value}
    losses = [values["validation_loss", step] for step in (1, 2)]
    assert losses == pytest.approx([line["validation_loss"] for line in epochs(run)], rel=1e-6)
    assert values["test_mse", 0] == pytest.approx(run.summary["metrics"]["test_mse"], rel=1e-6)


def events(content):
    """The events of a file: each has its length, a checksum of that, itself, and a checksum."""
    from tensorboardX.proto.event_pb2 import Event

    while content:
        (length,) = struct.unpack("<Q", content[:8])
        yield Event.FromString(content[12 : 12 + length])
        content = content[16 + length :]


def epochs(run):
    return [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]


def test_wandb_and_mlflow_hear_settings_epochs_and_the_end(dataset, tmp_path, monkeypatch):
    heard = []

    def hears(name):
        return lambda *given, **named: heard.append((name, given, named))

    summary = SimpleNamespace(update=hears("summary"))
    run = SimpleNamespace(log=hears("log"), finish=hears("finish"), summary=summary)
    wandb, mlflow = ModuleType("wandb"), ModuleType("mlflow")
    wandb.init = lambda **named: heard.append(("init", (), named)) or run
    for name in ("start_run", "log_params", "log_metrics", "end_run"):
        setattr(mlflow, name, hears(name))
    for module in (wandb, mlflow):
        module.__spec__ = SimpleNamespace()
        monkeypatch.setitem(sys.modules, module.__name__, module)
    with logs.logged("wandb, mlflow", tmp_path / "run", Progress()) as told:
        finished = trained(dataset, tmp_path / "run", told)
    names = [name for name, _, _ in heard]
    expected = ["init", "start_run", "log_params", *["log", "log_metrics"] * 2, "summary", "finish"]
    assert names == [*expected, "log_metrics", "end_run"]
    assert heard[0][2]["config"]["model.hidden"] == 3
    assert heard[2][1][0]["task"] == "regress"
    assert [named["step"] for name, _, named in heard if name == "log"] == [1, 2]
    assert heard[-2][1][0] == finished.summary["metrics"]
    assert heard[-1][1] == ("FINISHED",)


def test_a_tool_that_is_missing_or_unknown_is_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match='--log tensorbord: did you mean "tensorboard"'):
        logs.logs("tensorbord", tmp_path)
    monkeypatch.setattr(logs, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r'--log wandb needs wandb: pip install "gatework\[wandb\]"'):
        logs.logs("wandb", tmp_path)
