"""Processes that compute for a comparison."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from gatework.errors import TrainingError
from gatework.evaluation.processes import process_pool, result_of

# A parent whose worker tells its number and then would compute for a long time.
PARENT = """
import os, time
from gatework.evaluation.processes import process_pool

def work():
    print(os.getpid(), flush=True)
    time.sleep(600)

if __name__ == "__main__":
    with process_pool(1, print) as pool:
        pool.submit(work).result()
"""


def is_running(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{number}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks at /proc")
def test_a_worker_ends_when_its_parent_is_killed(tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    with subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE, text=True) as parent:
        worker = next(int(line) for line in parent.stdout if line.strip())
        parent.kill()
    assert _within(20, lambda: not is_running(worker))


def _within(seconds, condition):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


def test_a_worker_that_is_ended_from_outside_is_told_in_a_sentence():
    with process_pool(1, int) as pool, pytest.raises(TrainingError, match=r"ended from outside.*--jobs 1"):
        result_of(pool.submit(os.abort))
