"""One training in several processes: the same weights, bit for bit, whoever computes them, and whoever is lost."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import gatework
from gatework import training
from gatework.errors import RunError, UsageError
from gatework.evaluation.processes import CONTEXT
from gatework.training import exchange, optimizer, rows
from gatework.training.ranks import Alone, here
from gatework.training.rows import no_rows
from support import patience
from support.datasets import opinions, small

slow = pytest.mark.slow
WORDS = ("train", "regress", "waves", "--hidden", "6", "--epochs", "1", "--batch-size", "250", "--threads", "1", "-q")
# The last batch of an epoch has fewer examples than there are shards, and dropout and zoneout draw random numbers.
RECIPE = small(epochs=2, batch_size=16, zoneout=0.1, layers=1, shards=4)
DATA = opinions(228)


def of(rank, count):
    alone = Alone()
    alone.rank, alone.count = rank, count
    return alone


def test_alone_everything_is_its_own():
    ranks, tensor = Alone(), torch.ones(2)
    assert ranks.is_main
    assert ranks.shards(0) == 0, "a batch is one"
    assert list(ranks.share(4)) == [0, 1, 2, 3]
    ranks.add_up([tensor])
    assert torch.equal(tensor, torch.ones(2))
    assert ranks.gathered({3: "a"}) == {3: "a"}


def test_every_shard_has_one_process_and_neighbours_stand_under_one_branch():
    for count in (1, 2, 4, 8):
        shares = [list(of(rank, count).share(8)) for rank in range(count)]
        assert np.concatenate(shares).tolist() == list(range(8))
    assert of(0, 2).shards(0) == 4
    assert of(0, 8).shards(0) == 8


@pytest.mark.parametrize(
    ("count", "given", "message"), [(1, 6, "a power of two"), (3, 4, "start 1, 2 or 4$"), (2, 1, "start 1$")]
)
def test_shards_that_no_tree_can_share_are_refused(count, given, message):
    with pytest.raises(UsageError, match=message):
        of(0, count).shards(given)


class Dies(training.Progress):
    """Ends the process at a step, as a kill does."""

    def __init__(self, step):
        self.step = step

    def stepped(self, label, done, loss):
        if done == self.step:
            os._exit(9)


def _adds_up(machines):
    """Raises an AssertionError unless tables, rows of them and a large tensor add up bit by bit, over and over."""
    ranks = here()
    tables = [torch.zeros(2000, 4).index_put((torch.arange(k, 900, 7),), torch.full((), 0.1 * k)) for k in range(1, 5)]
    whole = (tables[0] + tables[1]) + (tables[2] + tables[3]) if ranks.count == 4 else tables[0] + tables[1]
    mine = tables[ranks.rank]
    told = mine.to_sparse(1).coalesce() if ranks.rank else no_rows(mine)
    found, other, rows = ranks.add_up([mine.clone(), mine + 1, told])
    assert torch.equal(found, whole)
    assert not torch.equal(other, whole)
    assert rows.is_coalesced()
    assert torch.equal(rows.to_dense(), whole - tables[0])
    for size in (10, 100_000, 1000):  # the memory that is shared grows once
        (added,) = ranks.add_up([torch.full((size,), 0.1 * (ranks.rank + 1))])
        assert torch.equal(added, added[:1].expand(size))
    each = ranks.count // machines
    is_near = [ranks.rank // each == (ranks.rank ^ 1 << level) // each for level in range(ranks.count.bit_length() - 1)]
    assert [isinstance(pair, exchange.ThroughMemory) for pair in ranks._pairs] == is_near


def _pretend(machines, count):
    """Lets a process reach only those of its own of several machines."""
    reached, each = exchange._reached, count // machines
    exchange._reached = lambda rank, others: reached(rank, [k for k in others if k // each == rank // each])


def _rank(rank, count, port, runs, dies_at, machines):
    """What torchrun does for each process, without importing everything anew for each, and for each training."""
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(count), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    rows.LARGE, optimizer._SMALL = 0, 100  # word vectors are a large table
    try:
        _pretend(machines, count)
        _adds_up(machines)
        for place, (out, changes) in enumerate(runs.items()):
            progress = Dies(dies_at) if dies_at and place == len(runs) - 1 else training.Progress()
            if (out / "recipe.toml").exists():
                training.resume(out, DATA, progress=progress)
            else:
                recipe = RECIPE.changed(**changes)
                training.train("classify", DATA, out=out, recipe=recipe, threads=1, progress=progress)
    except Exception as error:
        (out / f"error-{rank}").write_text(f"{type(error).__name__}: {error}")
        os._exit(1)
    os._exit(0)


def together(count, runs, dies_at=0, machines=1):
    """The exit codes of so many processes that train together.

    Args:
        count: The processes.
        runs: What each training changes of the recipe, by its folder, one after the other.
        dies_at: The step of the last one at which the first process ends; none if 0.
        machines: On how many machines they stand, or seem to.
    """
    with socket.socket() as held:
        # As long as it has the port, nobody is given it who asks for any; who asks for it, as these do, has it too.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        given = (count, held.getsockname()[1], runs, dies_at, machines)
        processes = [CONTEXT.Process(target=_rank, args=(k, *given)) for k in range(count)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(patience.SECONDS)
    return [process.exitcode for process in processes]


def weights(folder):
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture(scope="module", autouse=True)
def word_vectors_are_a_large_table():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "LARGE", 0)
        patch.setattr(optimizer, "_SMALL", 100)
        yield


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    out = tmp_path_factory.mktemp("alone") / "run"
    gatework.train("classify", DATA, out=out, recipe=RECIPE, threads=1)
    return out


@slow
def test_word_vectors_that_catch_up_end_where_those_that_move_at_every_step_do(alone, tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "LARGE", 1 << 18)
    gatework.train("classify", DATA, out=tmp_path / "run", recipe=RECIPE, threads=1)
    late, moved = (load_file(folder / "model.safetensors")["embedding.weight"] for folder in (alone, tmp_path / "run"))
    # A step moves a weight by up to 0.01; rounding alone differs.
    assert torch.allclose(late, moved, rtol=0, atol=1e-5)
    assert not torch.equal(late, moved), "the rows did catch up"


@slow
def test_four_processes_on_two_machines_give_the_same_weights_bit_for_bit(alone, tmp_path):
    assert together(4, {tmp_path / "run": {}}, machines=2) == [0] * 4
    assert weights(tmp_path / "run") == weights(alone)
    assert len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()) == 2


@slow
def test_two_do_and_when_one_is_killed_the_other_ends_with_a_sentence_and_another_number_goes_on(alone, tmp_path):
    out = tmp_path / "killed"
    assert together(2, {tmp_path / "run": {}, out: {}}, dies_at=11) == [9, 1]
    assert weights(tmp_path / "run") == weights(alone)
    said = (out / "error-1").read_text()
    assert said.startswith("LostError: another process of this training has ended")
    assert "in 1, 2 or 4 processes: gatework train --resume" in said, "as many as share the shards"
    gatework.resume(out, DATA)
    assert weights(out) == weights(alone)


@slow
def test_weights_that_are_averaged_now_and_then_are_the_same_whoever_was_killed_in_between(alone, tmp_path):
    now_and_then = {"average_every": 3}
    out = {tmp_path / "run": now_and_then, tmp_path / "killed": now_and_then}
    assert together(2, out, dies_at=11, machines=2) == [9, 1]
    assert together(2, {tmp_path / "killed": {}}) == [0, 0]
    assert weights(tmp_path / "killed") == weights(tmp_path / "run") != weights(alone)


def test_shards_change_the_order_of_sums_and_nothing_else(tmp_path):
    recipe = RECIPE.changed(shards=0, dropout=0.0, embedding_dropout=0.0, zoneout=0.0, epochs=1)
    plain = gatework.train("classify", DATA, out=tmp_path / "run", recipe=recipe, threads=1)
    parts = gatework.train("classify", DATA, out=tmp_path / "parts", recipe=plain.recipe.changed(shards=4), threads=1)
    one, four = (load_file(run.path / "model.safetensors") for run in (plain, parts))
    # 8 steps of Adam at 0.01 move a weight by 0.08 at most; it raises the rounding of sums to a part of a step at most.
    for name, tensor in one.items():
        torch.testing.assert_close(four[name], tensor, rtol=1e-3, atol=1e-4)


def test_a_run_without_shards_is_not_shared_afterwards(tmp_path, monkeypatch):
    with pytest.raises(_Stop):
        gatework.train("classify", DATA, out=tmp_path / "run", recipe=RECIPE.changed(shards=0), progress=_Stops())
    monkeypatch.setattr("gatework.training.completing.here", lambda: of(0, 2))
    with pytest.raises(RunError, match="go on with it without torchrun"):
        gatework.resume(tmp_path / "run", DATA)


class _Stop(BaseException):
    pass


class _Stops(training.Progress):
    def stepped(self, label, done, loss):
        raise _Stop


@slow
def test_torchrun_starts_it(tmp_path):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    two = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*two, "-m", "gatework", *WORDS, "--out", "two"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("Run: two") == 1, "one of the processes tells"
    one = gatework.train("regress", "waves", out=tmp_path / "one", recipe=str(tmp_path / "two" / "recipe.toml"))
    assert weights(one.path) == weights(tmp_path / "two")
