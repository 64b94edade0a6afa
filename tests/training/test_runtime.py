"""The process that computes: its threads, its floating-point mode, and what is written down of it."""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest
import torch

from gatework.training import runtime


def test_subnormal_numbers_are_flushed_in_every_thread():
    code = """
import torch
from gatework.training import runtime
big = torch.rand(1 << 20)
(big + big).sum()  # torch's threads exist before the mode is set
runtime.prepare(2)
print(runtime.flushes_everywhere())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_the_callers_threads_and_floating_point_mode_come_back():
    threads = torch.get_num_threads()
    assert not runtime.flushes_everywhere()
    with runtime.computing(3):
        assert torch.get_num_threads() == 3
        assert runtime.flushes_everywhere()
    assert torch.get_num_threads() == threads
    assert not runtime.flushes_everywhere()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="how another malloc keeps memory is its own matter")
def test_a_training_keeps_the_memory_of_a_step_and_gives_it_back_at_the_end():
    code = """
import resource, torch
from gatework.training import runtime

def pages_of(blocks):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(blocks):
        torch.ones(12 << 20)  # 48 MB, more than glibc keeps by itself
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

with runtime.keeping_memory():
    pages_of(3)  # what comes first is new in any case
    kept = pages_of(8)
print(kept, pages_of(8))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    kept, returned = map(int, done.stdout.split())
    assert kept < returned / 4


def test_the_environment_names_versions_machine_seed_and_data_in_json():
    found = json.loads(json.dumps(runtime.environment(7, "abc", 2)))
    assert found["versions"]["torch"] == torch.__version__
    assert (found["seed"], found["data"], found["threads"]) == (7, "abc", 2)
    assert found["machine"]["cores"] >= 1
    assert found["machine"]["processor"]
