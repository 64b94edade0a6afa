"""Layers are copied, pickled, forked, and called by several threads."""

import copy
import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

import gatework
from support import patience
from support.allocator import untold
from support.drop_ins import DropIn, tensors

STACK = {"num_layers": 2, "bidirectional": True}


def test_a_deep_copy_computes_the_same_and_shares_nothing(drop_in: DropIn):
    _, layer = drop_in.pair(3, 4, **STACK)
    x = torch.randn(5, 2, 3)
    expected = layer(x)[0]
    other = copy.deepcopy(layer)
    assert torch.equal(other(x)[0], expected)
    with torch.no_grad():
        for p in other.parameters():
            p.zero_()
    assert torch.equal(layer(x)[0], expected)
    assert not torch.equal(other(x)[0], expected)


def test_a_whole_layer_can_be_saved_and_loaded(drop_in: DropIn):
    _, layer = drop_in.pair(3, 4, **STACK)
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    x = torch.randn(5, 2, 3)
    again = torch.load(file, weights_only=False)
    assert torch.equal(again(x)[0], layer(x)[0])
    assert again.spec == layer.spec


class Encoded(Dataset):
    """Examples that a recurrent layer encodes in the worker that loads them."""

    def __init__(self, layer: gatework.nn.RecurrentLayer) -> None:
        self.layer = layer
        self.x = torch.randn(8, 5, 3, generator=torch.Generator().manual_seed(1))

    def __len__(self) -> int:
        return 8

    def __getitem__(self, n: int) -> torch.Tensor:
        with torch.no_grad():
            return self.layer(self.x[n])[0][-1]


def test_forked_workers_run_a_layer_that_the_parent_has_used(drop_in: DropIn):
    _, layer = drop_in.pair(3, 4, **STACK)
    layer(torch.randn(50, 16, 3))[0].sum().backward()
    layer.zero_grad()
    data = Encoded(layer)
    loader = DataLoader(data, batch_size=4, num_workers=2, multiprocessing_context="fork", timeout=patience.SECONDS)
    loaded = torch.cat(list(loader))
    torch.testing.assert_close(loaded, torch.stack([data[n] for n in range(8)]))
    assert torch.isfinite(layer(torch.randn(50, 16, 3))[0]).all(), "the parent goes on"


FORKING = """
import os, sys, torch, gatework
torch.set_num_threads(2)
torch.randn(1000, 1000).exp()  # starts torch's threads, which the child will not have
layer, x = gatework.nn.LSTM(32, 64), torch.randn(50, 16, 32)
expected = layer(x)[0] if sys.argv[1] == "used" else None
child = os.fork()
if child == 0:
    with torch.no_grad():
        output = layer(x)[0]
    # numpy compares: torch itself does not run on several threads after a fork
    os._exit(0 if expected is None or (output.numpy() == expected.detach().numpy()).all() else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("state", ["used", "new"])
def test_a_forked_process_runs_on_threads_of_its_own(state: str):
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING, state], check=True, timeout=patience.SECONDS)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_several_threads_get_what_one_gets(drop_in: DropIn, path: str, dtype: torch.dtype):
    _, layer = drop_in.pair(3, 20, dtype=dtype)
    inputs = [torch.randn(1 + n % 7, 1 + n % 3, 3, dtype=dtype) for n in range(12)]

    def run(x: torch.Tensor) -> list[torch.Tensor]:
        output, finals = layer(x)
        gradients = torch.autograd.grad(output.sum(), list(layer.parameters()))
        return [output, *tensors(finals), *gradients]

    expected = [run(x) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(run, inputs))
    for mine, alone in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, alone)


def test_the_same_call_gives_the_same_bits(drop_in: DropIn, path: str):
    _, layer = drop_in.pair(3, 20, **STACK)
    x = torch.randn(9, 8, 3)
    first, second = (
        (output, *torch.autograd.grad(output.sum(), list(layer.parameters())))
        for output in (layer(x, lengths=[9, 0, 7, 7, 1, 9, 8, 2])[0] for _ in range(2))
    )
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


STEPPING = """
import resource, torch, gatework
layer, x = gatework.nn.LSTM(1, 20, num_layers=2), torch.randn(100, 32, 1)
def steps(count):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(count):
        layer(x)[0].sum().backward()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
steps(200)  # until the heap has found its form
print(steps(100))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is Linux's")
def test_the_memory_of_a_training_step_stays_with_the_process_for_the_next():
    run = subprocess.run([sys.executable, "-c", STEPPING], env=untold(), capture_output=True, text=True, check=True)
    # Two layers keep 100 * 32 rows of 6 planes of 20 numbers; a process that gave it back would touch all of it anew.
    pages = 2 * 100 * 32 * 6 * 20 * 4 // os.sysconf("SC_PAGE_SIZE")
    assert int(run.stdout) < pages, "page faults in 100 steps, fewer than the pages of one"
