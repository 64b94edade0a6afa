"""A server asked by schemathesis what its own description allows and forbids: no answer may be an error of ours.

    python tests/support/fuzzed_service.py [CASES] [SEED]

schemathesis has an environment of its own, build/fuzz-tools, as its plugin for pytest would be loaded by every test.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import gatework
from support.datasets import opinions

TOOLS = Path(__file__).resolve().parents[2] / "build" / "fuzz-tools"
CHECKS = ("not_a_server_error", "status_code_conformance", "response_schema_conformance", "content_type_conformance")
# Addresses in the description of a server with one run.
OPERATIONS = 12


def main() -> int:
    """Serves a small classifier and asks it; schemathesis's own exit code."""
    cases, seed = int((sys.argv[1:] or ["5000"])[0]), (sys.argv[2:] or ["0"])[0]
    python = TOOLS / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", TOOLS], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "schemathesis>=4.32,<5"], check=True)
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        run = gatework.train("classify", opinions(), out=Path(folder) / "run", epochs=1, hidden=5, threads=1)
        serve = [sys.executable, "-m", "gatework", "serve", f"opinions={run.path}", "--port", str(port)]
        with subprocess.Popen(serve, stdout=subprocess.DEVNULL) as server:
            try:
                wait(server, port)
                each = max(1, cases // OPERATIONS)
                command = [python, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{port}/openapi.json"]
                command += ["--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing"]
                command += ["--max-examples", str(each), "--seed", seed]
                return subprocess.run(command, check=False, cwd=folder).returncode
            finally:
                server.terminate()


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
