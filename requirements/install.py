"""Fills the environment that runs this with the pinned packages and the package itself; `make` calls it.

The kernels need the build's own tools alone, so these come first and the kernels compile while pip fetches all else.
Neither says much by itself: what they print goes into logs, and the compiler's steps are shown as they end, on one line
of a terminal. pip compiles no bytecode, which would take as long as fetching: Python keeps that of a module when it is
first imported.

    install.py            # packages, where the pins are newer than they, and the package
    install.py packages   # packages alone
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).resolve().parents[1]
PINS, HASHES = ROOT / "requirements" / "dev.txt", ROOT / "requirements" / "hashes.txt"
ENVIRONMENT = Path(sys.prefix)
STAMP = ENVIRONMENT / ".requirements"
PIP = (sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-color", "--no-compile")
HASHED = (*PIP, "--require-hashes", "--no-deps", "-r")
# What pyproject.toml asks for to build, with all that it needs.
TOOLS = ("cmake", "nanobind", "ninja", "packaging", "pathspec", "scikit-build-core")
KERNELS = "import sys; from scikit_build_core.build import build_editable; build_editable(sys.argv[1])"
PACKAGE = (*PIP, "--verbose", "--no-build-isolation", "--no-deps", "--editable", str(ROOT))
STEP = re.compile(r"\[(\d+)/(\d+)\] (?:Building \w+ object|Linking \w+ \w+ \w+) (.*)")
LAST_LINES = 40


class SetupError(Exception):
    """A step ended with an error; the message is what it said last and where the rest is."""


def main(arguments: list[str]) -> int:
    """Runs all steps; the exit code."""
    is_stale = not STAMP.exists() or STAMP.stat().st_mtime < max(path.stat().st_mtime for path in (PINS, HASHES))
    try:
        if arguments == ["packages"]:
            fetch_packages()
        elif is_stale:
            fetch_and_compile()
            install()
        else:
            print("compiling the kernels, a minute or two on two cores:", flush=True)
            install()
    except SetupError as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def fetch_and_compile() -> None:
    """Packages, and beside them the kernels, which stop where packages cannot be fetched."""
    with tempfile.TemporaryDirectory() as folder:
        tools = Path(folder) / "tools.txt"
        tools.write_text(pinned(HASHES.read_text(encoding="utf-8"), TOOLS), encoding="utf-8")
        print("fetching the packages of requirements/dev.txt, and compiling the kernels meanwhile:", flush=True)
        Step("tools", [*HASHED, str(tools)]).finish()
        kernels = Step("kernels", [sys.executable, "-c", KERNELS, folder], is_beside=True)
        shown = Thread(target=kernels.show)
        shown.start()
        try:
            fetch_packages()
            shown.join()
            kernels.finish()
        except BaseException:
            kernels.stop()
            raise


def pinned(hashes: str, names: tuple[str, ...]) -> str:
    """The lines of some packages in a file of pins with hashes."""
    blocks = re.split(r"(?m)^(?=[\w.-]+==)", hashes)
    return "".join(block for block in blocks if block.partition("==")[0] in names)


def fetch_packages() -> None:
    """What has a hash, and then torch with what a platform needs besides the pins."""
    started = time.monotonic()
    Step("packages", [*HASHED, str(HASHES)]).finish()
    Step("torch", [*PIP, "-r", str(PINS)]).finish()
    STAMP.touch()
    print(f"  packages: {time.monotonic() - started:.0f} s", flush=True)


def install() -> None:
    """The package, whose kernels compile now where they have not yet; its first run keeps its modules' bytecode."""
    package = Step("package", PACKAGE)
    package.show()
    package.finish()
    Step("first run", [str(ENVIRONMENT / "bin" / "gatework"), "doctor"]).finish()


class Step:
    """A command whose output goes into a log; one beside others leaves them the processor, and is stopped with all that
    it has started.
    """

    def __init__(self, name: str, command: list[str] | tuple[str, ...], is_beside: bool = False):
        self.name, self.started = name, time.monotonic()
        self.log = ENVIRONMENT / f"install-{name.replace(' ', '-')}.log"
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": ""},
            preexec_fn=(lambda: os.nice(5)) if is_beside else None,
            process_group=0 if is_beside else None,
        )

    def show(self) -> None:
        """Shows the compiler's steps until the command ends."""
        for line in self.process.stdout or ():
            self.lines.append(line)
            step = STEP.search(line)
            if step:
                show(f"  {step[1]} of {step[2]}, {time.monotonic() - self.started:.0f} s: {target(step[3])}")
        if sys.stdout.isatty() and any(map(STEP.search, self.lines)):
            print()

    def finish(self) -> None:
        """Waits for the end.

        Raises:
            SetupError: The command failed.
        """
        self.lines += self.process.stdout or ()
        code = self.process.wait()
        self.log.write_text("".join(self.lines), encoding="utf-8")
        if code:
            raise SetupError(
                "".join(self.lines[-LAST_LINES:])
                + f"\nset-up failed ({self.name}); {self.log} has all of what was said"
            )

    def stop(self) -> None:
        """Ends the command, where it has not ended yet."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)


def target(path: str) -> str:
    """What was compiled, without the folders of CMake."""
    kernels = re.search(r"(\w*kernels)_(\w+)\.dir", path)
    if kernels is None:
        return Path(path).name.removesuffix(".o")
    return f"{kernels[1]} for {kernels[2]}".replace("_", " ")


def show(text: str) -> None:
    """A line in place of the last one on a terminal, a line more elsewhere."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
    else:
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
