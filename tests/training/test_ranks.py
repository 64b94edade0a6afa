"""One training in several processes, started by torchrun."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from gatework.training.ranks import Alone

pytestmark = pytest.mark.slow
WORDS = ("train", "regress", "waves", "--hidden", "6", "--epochs", "1", "--batch-size", "100", "--threads", "1", "-q")


def test_alone_everything_is_its_own():
    ranks, index, tensor = Alone(), np.arange(5), torch.ones(2)
    assert ranks.is_main
    assert ranks.share(index) is index
    ranks.add_up([tensor])
    assert ranks.total(2.0, 3.0) == (2.0, 3.0)
    assert torch.equal(ranks.collected(tensor), torch.ones(1, 2))


def test_two_processes_learn_what_one_learns(tmp_path):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    one = [sys.executable, "-m", "gatework", *WORDS, "--out", "one"]
    two = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29517"]
    for command in (one, [*two, "-m", "gatework", *WORDS, "--out", "two"]):
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
    first, second = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    assert first.keys() == second.keys()
    # 70 steps of Adam at 0.001 move a weight by 0.07 at most; sums of another order differ by rounding alone, which
    # Adam's division can raise to a part of a step.
    for name, tensor in first.items():
        torch.testing.assert_close(second[name], tensor, rtol=1e-3, atol=1e-4)
    with open(tmp_path / "two" / "metrics.jsonl") as file:
        assert len(file.readlines()) == 1
