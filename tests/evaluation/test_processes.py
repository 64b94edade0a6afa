"""Processes that compute for a comparison."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys

import pytest

from gatework.errors import TrainingError
from gatework.evaluation.processes import interrupts_later, process_pool
from support import patience

# A parent whose worker tells its number and then would compute for a long time.
PARENT = """
import os, time
from gatework.evaluation.processes import process_pool

def work():
    print(os.getpid(), flush=True)
    time.sleep(10_000)

if __name__ == "__main__":
    with process_pool(1, print) as pool:
        pool.submit(work).result()
"""


def test_a_worker_ends_when_its_parent_is_killed(tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    with subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE) as parent:
        next(int(line) for line in parent.stdout if line.strip())  # the number of its worker
        parent.kill()
        # The end of the pipe comes once the last process has ended that can write to it.
        assert select.select([parent.stdout], [], [], patience.SECONDS) == ([parent.stdout], [], [])
        assert parent.stdout.read() == b""


def test_ctrl_c_waits_until_processes_have_started():
    reached = []

    def interrupted():
        with hearing(), interrupts_later():
            signal.raise_signal(signal.SIGINT)
            reached.append("the end")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert reached == ["the end"]


@contextlib.contextmanager
def hearing():
    """As where a person waits; tests in the background of a script are deaf to Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_worker_that_is_ended_from_outside_is_told_in_a_sentence():
    with process_pool(1, int) as pool, pytest.raises(TrainingError, match=r"ended from outside.*--jobs 1"):
        pool.result_of(pool.submit(os.abort))


# A script whose workers have a cell that stands in it alone, as in a notebook.
SCRIPT = """
import gatework
from torch import sigmoid, tanh

@gatework.cell
def OfThisScript(a_f, x_g, u_g, h):
    f = sigmoid(a_f)
    g = tanh(x_g + f * u_g)
    return {"h": (1 - f) * h + f * g}

if __name__ == "__main__" or IS_UNGUARDED:
    done = gatework.compare("waves", cells=("rnn", OfThisScript), seeds=1, epochs=1, hidden=4, workers=2, out=OUT)
    print("cells:", *[entry["name"] for entry in done.content["entries"]][:2])
"""


def run(*arguments, said=""):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments], input=said, capture_output=True, text=True, check=False, env=environment
    )


def script_for(folder, *, is_unguarded=False):
    return f"OUT, IS_UNGUARDED = {str(folder / 'out')!r}, {is_unguarded}\n{SCRIPT}"


@pytest.mark.slow
@pytest.mark.parametrize("way", ["from a pipe", "without a file"])
def test_workers_know_a_cell_that_stands_in_the_script_alone(way, tmp_path):
    script = script_for(tmp_path)
    done = run("-", said=script) if way == "from a pipe" else run("-c", script)
    assert done.stdout == "cells: rnn OfThisScript\n", done.stderr


@pytest.mark.slow
def test_a_script_without_a_guard_is_told_in_a_sentence(tmp_path):
    (tmp_path / "script.py").write_text(script_for(tmp_path, is_unguarded=True))
    done = run(tmp_path / "script.py")
    assert done.returncode == 1
    assert not done.stdout
    assert done.stderr.count("Traceback") == 1
    assert done.stderr.splitlines()[-1].startswith(
        "gatework.errors.UsageError: the worker processes ended before they began: each first imports the script"
    )


def test_workers_whose_script_cannot_be_imported_are_told_apart_from_killed_ones(tmp_path):
    """The script is small, so that the parent has written all before its workers end."""
    (tmp_path / "script.py").write_text(
        "from gatework.evaluation.processes import process_pool\n"
        "with process_pool(1, print) as pool:\n"
        "    pool.result_of(pool.submit(len, ''))\n"
    )
    done = run(tmp_path / "script.py")
    assert "ended before they began" in done.stderr.splitlines()[-1]
