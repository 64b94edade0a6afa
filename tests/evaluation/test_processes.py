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
from gatework.evaluation.processes import interrupts_later, process_pool, result_of
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
        result_of(pool.submit(os.abort))
