import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from gatework import training
from gatework.errors import RunError
from gatework.training.progress import showing_progress
from support.datasets import opinions, small
from support.forked import Forked
from support.killed import killed_at
from support.stopping import StopAt

TRAIN = """
import sys
from pathlib import Path
from gatework import training
from support.datasets import opinions, small
path = Path(sys.argv[1])
if path.exists():
    training.resume(path, opinions())
else:
    training.train("classify", opinions(), out=path, recipe=small(epochs=12, checkpoint_seconds=0), threads=1)
print(*sorted({"sympy", "torch._dynamo"} & set(sys.modules)))
"""


def history(path: Path) -> list[dict[str, float]]:
    """The lines of metrics.jsonl without those that tell of time."""
    lines = (path / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in ("seconds", "ms_per_step")} for line in lines]


def test_a_run_killed_at_random_moments_ends_with_the_very_same_weights(tmp_path):
    whole = training.train("classify", opinions(), out=tmp_path / "whole", recipe=small(epochs=12), threads=1)
    killed = tmp_path / "killed"
    seed = int.from_bytes(os.urandom(4))
    # Twelve epochs of fifteen steps, each with a checkpoint, which a file is opened for, written and moved.
    moments = np.random.default_rng(seed).integers(1, 12 * 15, 2).tolist()
    while not (killed / "summary.json").exists():
        kill = killed_at(moments.pop(), killed) if moments else ""
        process = Forked(killed, code=kill + TRAIN)
        slow_imports, trouble = map(str.strip, process.communicate())
        assert (trouble, process.returncode) == ("", -signal.SIGKILL if kill else 0), f"seed {seed}"
    assert not slow_imports  # torch's compiler and symbolic shapes take longer to import than a small network to train
    for name in ("model.safetensors", "answers.parquet"):
        assert (killed / name).read_bytes() == (whole.path / name).read_bytes()
    assert history(killed) == history(whole.path)


def test_ctrl_c_leaves_a_run_that_goes_on_exactly(tmp_path):
    whole = training.train("classify", opinions(), out=tmp_path / "whole", recipe=small(epochs=2), threads=1)

    path = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        # In the second epoch.
        training.train("classify", opinions(), out=path, recipe=small(epochs=2), threads=1, progress=StopAt(20))
    stopped = training.Run.open(path)
    assert not stopped.is_finished
    with pytest.raises(RunError, match=r"is not finished; go on with: gatework train --resume"):
        _ = stopped.summary
    resumed = training.resume(path, opinions())
    assert (resumed.path / "model.safetensors").read_bytes() == (whole.path / "model.safetensors").read_bytes()


def test_a_finished_run_that_is_resumed_says_that_it_was_finished(capsys, tmp_path):
    run = training.train("classify", opinions(), out=tmp_path / "run", recipe=small(epochs=1), threads=1)
    with showing_progress() as progress:
        assert training.resume(run.path, opinions(), progress=progress).path == run.path
    assert "run was finished already; nothing was trained" in " ".join(capsys.readouterr().err.split())


def test_a_run_does_not_go_on_with_other_data(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        training.train("classify", opinions(), out=tmp_path / "run", recipe=small(), threads=1, progress=StopAt())
    with pytest.raises(RunError, match="began with other data"):
        training.resume(tmp_path / "run", opinions(seed=1))


def test_a_run_from_a_frame_asks_for_the_frame_again(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        training.train("classify", opinions(), out=tmp_path / "run", recipe=small(), threads=1, progress=StopAt())
    with pytest.raises(RunError, match="began with a data frame; give it again"):
        training.resume(tmp_path / "run")
