"""A server asked by schemathesis what its own description allows and forbids: no answer may be an error of ours.

    python tests/support/fuzzed_service.py [CASES] [SEED]

schemathesis has an environment of its own, build/fuzz-tools, as its plugin for pytest would be loaded by every test. It
ends an address early where nothing new comes to it, and so is started with seed after seed until there were that many.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
import polars as pl

import gatework
from support.datasets import opinions

TOOLS = Path(__file__).resolve().parents[2] / "build" / "fuzz-tools"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "response_schema_conformance",
    "content_type_conformance",
    "negative_data_rejection",
)


def main() -> int:
    """Serves small runs of every form of input and asks them; schemathesis's own exit code, the first that is not 0."""
    cases, seed = int((sys.argv[1:] or ["5000"])[0]), int((sys.argv[2:] or ["0"])[0])
    python = TOOLS / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", TOOLS], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "schemathesis>=4.32,<5"], check=True)
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{name}={path}" for name, path in trained(Path(folder)).items()]
        serve = [sys.executable, "-m", "gatework", "serve", *paths, "--port", str(port)]
        with subprocess.Popen(serve, stdout=subprocess.DEVNULL) as server:
            try:
                wait(server, port)
                operations, asked, code = count_operations(port), 0, 0
                while asked < cases and code == 0:
                    count, code = ask(folder, port, max(1, (cases - asked) // operations), seed)
                    asked, seed = asked + count, seed + 1
                print(f"{asked:,} cases", "passed" if code == 0 else "and a failure")
                return code
            finally:
                server.terminate()


def trained(folder: Path) -> dict[str, Path]:
    """Runs by name: of texts, of series in columns that a linear classifier answers beside, and of rows over time."""
    draw = np.random.default_rng(0)
    wide = pl.DataFrame({f"step {k}": draw.normal(size=200) for k in range(6)} | {"kind": draw.choice(["a", "b"], 200)})
    hours = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 13), "1h", eager=True).dt.to_string()
    watched = pl.DataFrame({"time": hours, "units": np.sin(np.arange(len(hours)) / 24 * 2 * np.pi)})
    settings = {"epochs": 1, "hidden": 5, "threads": 1}
    runs = {
        "opinions": gatework.train("classify", opinions(), out=folder / "opinions", **settings),
        "wide": gatework.train("classify", wide, label="kind", bidirectional=False, out=folder / "wide", **settings),
        "sensor": gatework.train("detect", watched, time="time", target="units", out=folder / "sensor", **settings),
    }
    return {name: run.path for name, run in runs.items()}


def count_operations(port: int) -> int:
    """How many addresses the description has."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/openapi.json", timeout=60) as reply:
        return len(json.load(reply)["paths"])


def ask(folder: str, port: int, each: int, seed: int) -> tuple[int, int]:
    """Has schemathesis ask: how many cases there were, and its exit code."""
    command = [str(TOOLS / "bin" / "python"), "-m", "schemathesis.cli", "run"]
    command += [f"http://127.0.0.1:{port}/openapi.json", "--checks", ",".join(CHECKS)]
    # Its lines of a stream are text, whatever they hold: none is of a wrong type.
    command += ["--exclude-path-regex", "^/stream/"]
    command += ["--phases", "coverage,fuzzing", "--max-examples", str(each), "--seed", str(seed)]
    # The first evaluation imports torch, for which a busy machine takes its time.
    command += ["--request-timeout", "60"]
    done = subprocess.run(command, check=False, cwd=folder, stdout=subprocess.PIPE, text=True)
    print(done.stdout, flush=True)
    counted = re.search(r"(\d+) generated", done.stdout)
    return (int(counted[1]) if counted else 0), done.returncode or int(counted is None)


def free_port() -> int:
    """A port that nothing listens at."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


def wait(server: subprocess.Popen[bytes], port: int) -> None:
    """Waits until the server is ready."""
    for _ in range(600):
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with {server.returncode}; nothing was asked")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/health/ready", timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the server did not become ready")


if __name__ == "__main__":
    sys.exit(main())
