"""Installs the package into the environment that runs this, and shows how far the compiler is: `make` calls it.

pip says nothing while the kernels compile, which takes minutes. What it prints goes into a log; the compiler's steps
are shown as they end, on one line of a terminal.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOG = Path(sys.prefix) / "install.log"
PIP = (sys.executable, "-m", "pip", "install", "--verbose", "--disable-pip-version-check", "--no-color")
STEP = re.compile(r"\[(\d+)/(\d+)\] (?:Building \w+ object|Linking \w+ \w+ \w+) (.*)")
LAST_LINES = 40


def main() -> int:
    """Runs pip; its exit code."""
    started = time.monotonic()
    command = [*PIP, "--no-build-isolation", "--no-deps", "--editable", str(ROOT)]
    print("compiling the kernels, a minute or two on two cores:", flush=True)
    with (
        LOG.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        ) as process,
    ):
        for line in process.stdout or ():
            log.write(line)
            step = STEP.search(line)
            if step:
                show(f"  {step[1]} of {step[2]}, {time.monotonic() - started:.0f} s: {name(step[3])}")
    if sys.stdout.isatty():
        print()
    if process.returncode:
        print("".join(LOG.read_text(encoding="utf-8").splitlines(keepends=True)[-LAST_LINES:]), file=sys.stderr)
        print(f"the package could not be installed; {LOG} has the whole of what was said", file=sys.stderr)
    return process.returncode


def name(target: str) -> str:
    """What was compiled, without the folders of CMake."""
    kernels = re.search(r"(\w*kernels)_(\w+)\.dir", target)
    if kernels is None:
        return Path(target).name.removesuffix(".o")
    return f"{kernels[1]} for {kernels[2]}".replace("_", " ")


def show(text: str) -> None:
    """A line in place of the last one on a terminal, a line more elsewhere."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
    else:
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
