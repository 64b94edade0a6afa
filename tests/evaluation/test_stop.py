"""Ctrl-C as a terminal sends it, to every process at once: the work ends and says how to go on."""

import array
import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from support import patience
from support.command_line import run_forked

pytestmark = pytest.mark.slow
# Where tests run in the background of a script, processes are born deaf to Ctrl-C.
HEAR = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
HEARING = f"{HEAR}; from gatework.cli import main; main()"
STOPPED_AS_WORKERS_START = f"""
{HEAR}
import os
from concurrent.futures import ProcessPoolExecutor
submit, futures = ProcessPoolExecutor.submit, []

def stopped_at_the_first_training(*given):
    futures.append(submit(*given))
    if len(futures) == 2:  # simple methods come first
        os.killpg(0, signal.SIGINT)
    return futures[-1]

ProcessPoolExecutor.submit = stopped_at_the_first_training
from gatework.cli import main
main()
"""
STOPPED_WHERE_PYTHON_LOSES_IT = f"""
{HEAR}
import threading, time, weakref
from gatework.cli import _application

class Lost:
    def __call__(self, **given):
        something = threading.Event()
        watch = weakref.ref(something, lambda _: signal.raise_signal(signal.SIGINT))
        del something
        assert watch() is None
        time.sleep(10_000)

_application.build = lambda words: Lost()
_application.main()
"""
SIX = ("--cells", "rnn,gru,lstm", "--seeds", "2")
WAVES = ("compare", "waves", *SIX, "--jobs", "2", "--epochs", "4000", "--out", "out")


def started(folder: Path, *words: str, code: str = HEARING, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        start_new_session=True,
        text=True,
        stderr=subprocess.PIPE,
        stdin=stdin,
    )


def until_there(folder: Path, pattern: str, process: subprocess.Popen[str]) -> None:
    """Waits for a file that a process writes."""
    end = time.monotonic() + patience.SECONDS
    while not list(folder.glob(pattern)):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(group: int) -> bool:
    """Whether any process of the group still runs."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("is_training", [False, True], ids=["while workers start", "while they train"])
def test_one_ctrl_c_ends_a_comparison_and_every_worker(tmp_path, is_training):
    process = started(tmp_path, *WAVES, code=HEARING if is_training else STOPPED_AS_WORKERS_START)
    if is_training:
        until_there(tmp_path / "out" / "runs", "*/metrics.jsonl", process)
        os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=patience.SECONDS)
    assert process.returncode == 130
    assert said.rstrip().endswith("the same command goes on from there")
    assert "Traceback" not in said
    end = time.monotonic() + patience.SECONDS
    while alive(process.pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(process.pid), "a worker outlived its comparison"
    plan = json.loads((tmp_path / "out" / "plan.json").read_text())
    assert plan["seeds"] == 2


def test_ctrl_c_that_python_loses_ends_a_command(tmp_path):
    process = started(tmp_path, "train", code=STOPPED_WHERE_PYTHON_LOSES_IT)
    _, said = process.communicate(timeout=patience.SECONDS)
    assert process.returncode == 130
    assert said == "gatework: stopped; what was finished is kept, and the same command goes on from there\n"


def test_a_stopped_training_names_the_command_that_goes_on(tmp_path):
    process = started(tmp_path, "train", "regress", "waves", "--epochs", "5000", "--out", "run")
    until_there(tmp_path / "run", "metrics.jsonl", process)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=patience.SECONDS)
    assert process.returncode == 130
    assert said.rstrip().endswith("gatework train --resume run")


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    done = run_forked("train", "regress", "waves", "--epochs", 1, "--hidden", 2, "--out", "run", "-q", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def unread(pipe: int) -> int:
    """How many bytes of a pipe wait to be read."""
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


@pytest.mark.parametrize("words", [(), ("--stream",)], ids=["for all rows", "for the next row"])
def test_a_command_that_waits_for_input_ends_on_the_first_ctrl_c(run, words):
    given, gives = os.pipe()
    process = started(run, "predict", "run", *words, stdin=given)
    os.write(gives, b"\n")
    while unread(given):  # from then on it waits for more
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=patience.SECONDS)
    assert process.returncode == 130
    assert said.splitlines()[-1].startswith("gatework: stopped")
    os.close(given)
    os.close(gives)
