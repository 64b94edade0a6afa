"""What a server keeps of freed memory."""

import subprocess
import sys

import pytest

from support.allocator import untold

SCRIPT = """
import re
import numpy as np
import gatework._native
from gatework.serve._memory import keep_little_memory

def held():
    with open("/proc/self/status") as file:
        return int(re.search(r"RssAnon:\\s+(\\d+)", file.read())[1]) / 1024

def more_after(megabytes):
    before = held()
    np.ones(megabytes << 20, np.uint8)
    return held() - before

print(more_after(16), end=" ")
keep_little_memory()
print(more_after(16))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no glibc")
def test_a_server_gives_back_what_training_would_keep():
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=untold(), capture_output=True, text=True, check=True)
    assert [float(each) for each in done.stdout.split()] == pytest.approx([16, 0], abs=2)
