import os
import subprocess
import sys

import pytest

from gatework._threads import checked_count, usable_cores, wait_passively
from gatework.errors import UsageError

HAS_AFFINITY = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no processor affinity")


def cores_of(affinity: str, **environment: str) -> int:
    code = f"import os; {affinity}; from gatework._threads import usable_cores; print(usable_cores())"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@HAS_AFFINITY
def test_the_affinity_of_a_process_bounds_its_cores():
    one = "os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])"
    assert cores_of(one, OMP_NUM_THREADS="") == 1
    assert cores_of("pass", OMP_NUM_THREADS="") == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(("asked", "most"), [("1", 1), ("1,4", 1), ("100000", None), ("0", None), ("many", None)])
def test_the_threads_that_openmp_may_use_bound_the_cores(monkeypatch, asked, most):
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    all_cores = usable_cores()
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert usable_cores() == (most or all_cores)


@pytest.mark.parametrize("count", [0, -1, 100_000])
def test_a_count_that_no_machine_gains_from_is_refused(count):
    with pytest.raises(UsageError, match=f"threads is {count}, expected at least 1 and at most"):
        checked_count(count, "threads")


def test_a_policy_of_waiting_is_set_where_nobody_has_set_one(monkeypatch):
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    wait_passively()
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    wait_passively()
    assert os.environ["OMP_WAIT_POLICY"] == "active"
    monkeypatch.delenv("OMP_WAIT_POLICY")
    monkeypatch.setenv("GOMP_SPINCOUNT", "100")
    wait_passively()
    assert "OMP_WAIT_POLICY" not in os.environ


def test_the_command_line_sets_the_policy_before_torch_is_imported():
    code = (
        "import sys, os\n"
        "class Watch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'torch': print('policy', os.environ.get('OMP_WAIT_POLICY'))\n"
        "sys.meta_path.insert(0, Watch())\n"
        "sys.argv = ['gatework', 'doctor']\n"
        "from gatework.cli import main\n"
        "main()"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "policy passive"
