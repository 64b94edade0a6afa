"""What the benchmarks of other libraries' models share: torch.nn's layers inside and gatework's, in turns."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

LIBRARIES = "torch", "gatework"
_TURNS = 2

_REPLACE = """
import sys
import torch

if sys.argv[1] == "gatework":
    import gatework.nn

    for name in ("RNN", "GRU", "LSTM"):
        for place in (torch.nn, torch.nn.modules, torch.nn.modules.rnn):
            setattr(place, name, getattr(gatework.nn, name))
"""


def in_turns(python: str, program: str) -> list[tuple[str, dict[str, Any]]]:
    """What a program prints last, as JSON, in a process of its own for each turn, with whose layers it ran.

    Args:
        python: The interpreter, which has the libraries.
        program: Python, for which torch is imported, and `torch.nn` has those layers.
    """
    return [(library, _said(python, program, library)) for _ in range(_TURNS) for library in LIBRARIES]


def _said(python: str, program: str, library: str) -> dict[str, Any]:
    done = subprocess.run([python, "-c", _REPLACE + program, library], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said
